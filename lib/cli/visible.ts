/** Text of models on a terminal, which obeys some characters instead of showing them. */

/** Control characters other than tab and line feed, and those that turn the direction of what follows. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const obeyed = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

/** The text as a stream is to get it: a terminal shows `\u001b` where it would obey; files and pipes have it as it is. */
export function visibleOn({isTTY}: {readonly isTTY?: boolean}, text: string): string {
  return isTTY === true ? text.replace(obeyed, escaped) : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
