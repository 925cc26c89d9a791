/** Text as Python's `str` and `format` see it, which is what sacreBLEU's figures rest on. */

/** What `str.split` and `str.strip` take as white space; `\s` of JavaScript has neither 1C to 1F nor 85, and has FEFF. */
const space = '[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const spaces = new RegExp(`${space}+`, 'gu');
const spacesAtStart = new RegExp(`^${space}+`, 'u');
const spacesAtEnd = new RegExp(`${space}+$`, 'u');

/** Pieces between runs of white space; none is empty. */
export function splitWords(text: string): string[] {
  return text.split(spaces).filter((word) => word !== '');
}

/** Without its white space. */
export function withoutSpaces(text: string): string {
  return text.replace(spaces, '');
}

export function trimStart(text: string): string {
  return text.replace(spacesAtStart, '');
}

export function trimEnd(text: string): string {
  return text.replace(spacesAtEnd, '');
}

/**
 * With `digits` digits behind the point. Where a value lies exactly between two, the even digit is taken: 6.25 gives 6.2, for which
 * `toFixed` gives 6.3.
 *
 * @param digits 0 to 6
 */
export function formatFixed(value: number, digits: number): string {
  const scaled = Math.abs(value) * 10 ** digits;
  const below = Math.floor(scaled);
  // A value with digits + 1 digits that a double holds exactly has 5^digits as a factor in its numerator.
  const isTie = scaled - below === 0.5 && (2 * below + 1) % 5 ** digits === 0;
  if (!isTie || below % 2 === 1) return value.toFixed(digits);
  return `${value < 0 ? '-' : ''}${(below / 10 ** digits).toFixed(digits)}`;
}
