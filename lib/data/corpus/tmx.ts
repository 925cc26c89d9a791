/** Sentence pairs of a translation memory: TMX 1.4. */
import {SaxesParser} from 'saxes';
import {CrossmapError} from '../../errors.js';
import {readBytes, readError, type ReadOptions} from './bytes.js';
import {isLanguage} from './language.js';

/** The two languages of pairs. */
export interface Sides {
  readonly source: string;
  readonly target: string;
}

/** Elements inside of a segment whose text is mark-up of the document, not of the sentence. */
const codes = new Set(['bpt', 'ept', 'it', 'ph', 'ut', 'sub']);

/**
 * The pairs of all units that have both languages, some hundreds at a time; of several variants of one language the first. `en` also
 * takes what is marked `en-GB`. Mark-up inside of segments is left out.
 *
 * @throws ERR_DATA for what is no well-formed XML, with the line; what reading throws
 */
export async function* readTmx(
  file: string,
  sides: Sides,
  options: ReadOptions,
): AsyncGenerator<(readonly [string, string])[]> {
  let pairs: (readonly [string, string])[] = [];
  const parser = unitParser(sides, (pair) => void pairs.push(pair));
  const decoder = textDecoder();
  const write = (text: string): void => {
    parser.write(text);
    if (parser.fault !== undefined) throw new CrossmapError('ERR_DATA', `${file}:${parser.fault}`);
  };
  try {
    for await (const chunk of readBytes(file, options)) {
      write(decoder.decode(chunk, file));
      if (pairs.length > 0) yield pairs;
      pairs = [];
    }
    write(decoder.decode(undefined, file));
    parser.close();
    if (parser.fault !== undefined) throw new CrossmapError('ERR_DATA', `${file}:${parser.fault}`);
    if (pairs.length > 0) yield pairs;
  } catch (cause) {
    throw readError(file, options, `after line ${parser.line()}`, cause);
  }
}

/** UTF-8, or UTF-16 where the file starts with its byte order mark. */
function textDecoder(): {decode(chunk: Uint8Array | undefined, file: string): string} {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  return {
    decode(chunk, file) {
      decoder ??= new TextDecoder(encodingOf(chunk ?? new Uint8Array(0)), {fatal: true});
      try {
        return decoder.decode(chunk, {stream: chunk !== undefined});
      } catch (cause) {
        throw new CrossmapError('ERR_DATA', `${file}: is neither UTF-8 nor UTF-16; convert the file`, {
          cause,
        });
      }
    },
  };
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

interface UnitParser {
  write(text: string): void;
  close(): void;
  line(): number;
  /** `line:column: what is wrong`, once something is. */
  readonly fault: string | undefined;
}

function unitParser({source, target}: Sides, onPair: (pair: readonly [string, string]) => void): UnitParser {
  const parser = new SaxesParser({xmlns: false});
  let fault: string | undefined;
  let unit = new Map<'source' | 'target', string>();
  let side: 'source' | 'target' | undefined;
  let segment: string | undefined;
  let depthOfCode = 0;
  parser.on('error', ({message}) => (fault ??= message));
  parser.on('opentag', ({name, attributes}) => {
    if (name === 'tu') unit = new Map();
    if (name === 'tuv') side = sideOf(attributes['xml:lang'] ?? attributes['lang'] ?? '');
    if (name === 'seg') segment = '';
    if (codes.has(name) && segment !== undefined) depthOfCode++;
  });
  const add = (text: string): void => {
    if (segment !== undefined && depthOfCode === 0) segment += text;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', ({name}) => {
    if (codes.has(name) && segment !== undefined) depthOfCode--;
    if (name === 'seg') {
      if (side !== undefined && segment !== undefined && !unit.has(side)) unit.set(side, segment);
      segment = undefined;
    }
    if (name === 'tuv') side = undefined;
    if (name !== 'tu') return;
    const [x, y] = [unit.get('source'), unit.get('target')];
    if (x !== undefined && y !== undefined) onPair([x, y]);
  });
  const sideOf = (language: string): 'source' | 'target' | undefined => {
    if (isLanguage(language, source)) return 'source';
    return isLanguage(language, target) ? 'target' : undefined;
  };
  return {
    write: (text) => void parser.write(text),
    close: () => void parser.close(),
    line: () => parser.line,
    get fault() {
      return fault;
    },
  };
}
