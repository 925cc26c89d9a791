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
