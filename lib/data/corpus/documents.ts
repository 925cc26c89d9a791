/** Plain text: one sentence a line, a blank line between documents. */
import {cleanText} from './clean.js';
import {readLines, type ReadOptions} from './lines.js';

/** The cleaned sentences of a document, at least one, none empty. */
export type Document = readonly string[];

/** Lines that count as a document where a file has no documents: enough for context, few enough to hold some out. */
const linesTogether = 16;

/** A file that shows no blank line in so many is taken to have none. */
const longestWait = 64 * linesTogether;

/**
 * The documents of a file in order, some thousands of sentences at a time. A file without blank lines is a list of sentences: every 16
 * lines count as a document, or nothing of it could be held out.
 *
 * @throws what `readLines` throws
 */
export async function* readDocuments(file: string, options: ReadOptions): AsyncGenerator<Document[]> {
  let open: string[] = [];
  let isList: boolean | undefined;
  for await (const lines of readLines(file, options)) {
    const complete: Document[] = [];
    for (const line of lines) {
      const sentence = cleanText(line);
      if (sentence !== '') open.push(sentence);
      else if (open.length > 0) {
        isList ??= false;
        complete.push(open);
        open = [];
      }
      if (isList === undefined && open.length >= longestWait) isList = true;
      if (isList && open.length >= linesTogether) complete.push(...inGroups(open.splice(0)));
    }
    if (complete.length > 0) yield complete;
  }
  if (open.length > 0) yield isList === false ? [open] : inGroups(open);
}

function inGroups(sentences: readonly string[]): Document[] {
  const groups: Document[] = [];
  for (let at = 0; at < sentences.length; at += linesTogether)
    groups.push(sentences.slice(at, at + linesTogether));
  return groups;
}
