/** Sentence pairs of a message catalogue: gettext PO. */
import {po, type Entry} from 'gettext-parser';
import {CrossmapError} from '../../errors.js';
import type {ReadOptions} from './bytes.js';
import {isLanguage} from './language.js';
import {readLines} from './lines.js';
import type {Sides} from './tmx.js';

/**
 * The messages of a catalogue and their translations, one or a few at a time. Messages are the source, unless the catalogue's header
 * says that its translations are. Fuzzy, obsolete and untranslated entries are none; of a message with plural forms the singular and the
 * last form are pairs.
 *
 * @throws ERR_DATA for what is no PO, with the line where the entry starts; what `readLines` throws
 */
export async function* readPo(
  file: string,
  {source, target}: Sides,
  options: ReadOptions,
): AsyncGenerator<(readonly [string, string])[]> {
  let isReversed = false;
  for await (const {text, line} of parts(file, options)) {
    const {headers, translations} = parse(text, file, line);
    const language = headers?.['Language'];
    if (language !== undefined) isReversed = isLanguage(language, source) && !isLanguage(language, target);
    const pairs = Object.values(translations)
      .flatMap((context) => Object.values(context))
      .flatMap(pairsOf);
    if (pairs.length > 0) yield isReversed ? pairs.map(([x, y]) => [y, x] as const) : pairs;
  }
}

interface Part {
  readonly text: string;
  /** Its first, counted from 1. */
  readonly line: number;
}

/**
 * An entry each, or several between which no blank line stands. Each is parsed alone: the parser sorts what it is given by context and
 * message.
 */
async function* parts(file: string, options: ReadOptions): AsyncGenerator<Part> {
  let open: string[] = [];
  let read = 0;
  for await (const lines of readLines(file, options)) {
    for (const line of lines) {
      read++;
      if (line.trim() !== '') open.push(line);
      else if (open.length > 0) {
        yield {text: open.join('\n'), line: read - open.length};
        open = [];
      }
    }
  }
  if (open.length > 0) yield {text: open.join('\n'), line: read - open.length + 1};
}

function parse(text: string, file: string, line: number): ReturnType<typeof po.parse> {
  try {
    return po.parse(text, {validation: false});
  } catch (cause) {
    throw new CrossmapError(
      'ERR_DATA',
      `${file}:${line}: is no PO from here on: ${cause instanceof Error ? cause.message : ''}`,
      {cause},
    );
  }
}

function pairsOf({msgid, msgid_plural: plural, msgstr, comments}: Entry): (readonly [string, string])[] {
  if (msgid === '' || comments?.flag?.split(/[\s,]+/).includes('fuzzy')) return [];
  const last = msgstr.at(-1) ?? '';
  const pairs: (readonly [string, string])[] =
    plural === undefined || plural === ''
      ? [[msgid, msgstr[0] ?? '']]
      : [...(msgstr.length > 1 ? [[msgid, msgstr[0] ?? ''] as const] : []), [plural, last]];
  return pairs.filter(([, translation]) => translation !== '');
}
