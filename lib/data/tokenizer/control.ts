/** Names of the control tokens. */

/** Starts a segment, ends it, and stands between a sentence and the language it is to be said in. */
export const controlNames = ['<bos>', '<eos>', '<map>'] as const;

/** The control token of a language. */
export function languageToken(code: string): string {
  return `<${code}>`;
}

/** Tokens in angle brackets that are no language in anybody's file. */
const others: readonly string[] = [...controlNames, '<s>', '<unk>', '<pad>', '<mask>', '<cls>', '<sep>'];

/** The language whose control token this may be. */
export function languageOfToken(token: string): string | undefined {
  if (others.includes(token)) return undefined;
  return /^<([A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*)>$/.exec(token)?.[1];
}

/** Whether a language can have a control token: `<map>` is taken. */
export function isLanguageName(code: string): boolean {
  return languageOfToken(languageToken(code)) === code;
}

/**
 * The languages that have a control token: those behind `<map>`, for tokenizers from elsewhere have other tokens in angle brackets before it.
 * One that was made by hand may have them in any order: where none is behind it, all count.
 *
 * @param tokens in the order of the file
 */
export function languagesAmong(tokens: readonly string[]): string[] {
  const map = tokens.indexOf('<map>');
  if (map < 0) return [];
  const among = (some: readonly string[]): string[] => some.flatMap((token) => languageOfToken(token) ?? []);
  const behind = among(tokens.slice(map + 1));
  return behind.length > 0 ? behind : among(tokens);
}
