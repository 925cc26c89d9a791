/**
 * What JSON.parse does not refuse: of two equal keys it keeps the last and says nothing, and it builds any depth of lists, which takes many
 * times the memory of the text.
 */

/**
 * Whether lists and maps stand in each other deeper than `most`. Counts brackets outside of strings; the text need not be valid JSON.
 */
export function isDeeper(text: string, most: number): boolean {
  const marks = /["{}[\]]/g;
  let depth = 0;
  for (let match = marks.exec(text); match; match = marks.exec(text)) {
    const [mark] = match;
    if (mark === '"') marks.lastIndex = stringEnd(text, match.index);
    else depth += mark === '{' || mark === '[' ? 1 : -1;
    if (depth > most) return true;
  }
  return false;
}

/** The first key that its object has twice, or undefined. `text` must be valid JSON. */
export function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // keys of each open object; undefined for an open list
  const marks = /["{}[\]]/g;
  const colon = /\s*:/y;
  for (let match = marks.exec(text); match; match = marks.exec(text)) {
    const [mark] = match;
    if (mark === '{') open.push(new Set());
    else if (mark === '[') open.push(undefined);
    else if (mark !== '"') open.pop();
    else {
      const end = stringEnd(text, match.index);
      marks.lastIndex = colon.lastIndex = end;
      if (!colon.test(text)) continue;
      const keys = open.at(-1);
      const key = String(JSON.parse(text.slice(match.index, end)));
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

/** One past the quote that closes the string opened at `start`. A quote after an odd number of backslashes is text. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote;
    while (text[before - 1] === '\\') before--;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return text.length;
}
