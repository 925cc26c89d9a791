/** Records with named fields, from JSON lines and Parquet. */
import {CrossmapError} from '../../errors.js';
import {readLines} from './lines.js';
import type {ReadOptions} from './bytes.js';

/** A record and where it stands, for errors: `corpus.jsonl:17`, `corpus.parquet, row 17`. */
export interface Placed {
  readonly place: string;
  readonly value: unknown;
}

/**
 * One JSON value a line, some thousands at a time; empty lines are none.
 *
 * @throws ERR_DATA for a line that is no JSON; what `readLines` throws
 */
export async function* readJsonLines(file: string, options: ReadOptions): AsyncGenerator<Placed[]> {
  let line = 0;
  for await (const lines of readLines(file, options)) {
    const records: Placed[] = [];
    for (const text of lines) {
      line++;
      if (text.trim() !== '') records.push({place: `${file}:${line}`, value: parseJson(text, file, line)});
    }
    if (records.length > 0) yield records;
  }
}

function parseJson(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(line === 1 ? text.replace(/^\uFEFF/, '') : text);
  } catch (cause) {
    throw new CrossmapError(
      'ERR_DATA',
      `${file}:${line}: is not JSON: ${cause instanceof Error ? cause.message : ''}; JSON lines have one whole value in each line`,
      {cause},
    );
  }
}

/** The field of a record at a path such as `text` or `translation.en`; undefined where there is none. */
export function fieldOf(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, path)) return entry(value, path);
  // A name may hold a point itself, so the longest beginning that is a field decides.
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1))
    if (Object.hasOwn(value, path.slice(0, dot)))
      return fieldOf(entry(value, path.slice(0, dot)), path.slice(dot + 1));
  return undefined;
}

function entry(value: object, name: string): unknown {
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

/**
 * The text at a path.
 *
 * @throws ERR_DATA naming place, path and the fields that there are
 */
export function textAt({place, value}: Placed, path: string, option: string): string {
  const found = fieldOf(value, path);
  if (typeof found === 'string') return found;
  if (found === null) return '';
  const fields = fieldNames(value);
  const what = found === undefined ? `has no field ${path}` : `has in ${path} no text but ${typeof found}`;
  const there = fields.length === 0 ? 'it is no record' : `there are ${fields.join(', ')}`;
  throw new CrossmapError('ERR_DATA', `${place}: ${what}, which ${option} needs; ${there}`);
}

/** Names of the fields of a record, and of those of records in it: `id`, `translation.en`. */
function fieldNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    const names = fieldNames(inner);
    return names.length > 0 ? names.map((each) => `${name}.${each}`) : [name];
  });
}
