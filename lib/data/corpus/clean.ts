/** The one form in which text is compared, counted and tokenised. */

/** White space among the control characters; the others say nothing and go. */
const spaces = /[\t-\r\u0085\p{Z}]+/gu;
const controls = /(?:(?![\t-\r\u0085])[\p{Cc}\uFEFF])+/gu;

/** Printable ASCII has nothing to clean but its spaces. */
const plain = /^[!-~]+(?: [!-~]+)*$/;

/**
 * NFC, control characters and byte order marks removed, each run of white space one space, none at the ends. Two texts are the same
 * text if their cleaned forms are equal.
 */
export function cleanText(text: string): string {
  if (plain.test(text)) return text;
  return text.replace(controls, '').normalize('NFC').replace(spaces, ' ').trim();
}

/**
 * Length that can be compared across scripts, in letters: an ideograph or kana counts as three, a Hangul syllable as two, which is about
 * what their translations into alphabets take.
 */
export function lengthInLetters(text: string): number {
  let letters = 0;
  for (let i = 0; i < text.length; i++) letters += lettersOf(text.charCodeAt(i));
  return letters;
}

/** What a UTF-16 unit counts; the second half of a character nothing. */
export function lettersOf(unit: number): number {
  if (unit < 0x2e80) return 1;
  if (unit >= 0xac00 && unit < 0xd7b0) return 2;
  if (unit >= 0xdc00 && unit < 0xe000) return 0; // the second half of a character beyond U+FFFF
  return unit < 0xa000 || (unit >= 0xf900 && unit < 0xfb00) ? 3 : 1;
}
