/** A file in YAML against its schema, with every mistake told at once. */
import {readFile} from 'node:fs/promises';
import type {z} from 'zod';
import {CrossmapError} from '../errors.js';
import {jsonSchemaOf} from './json-schema.js';
import {complaintsOf, type Complaint} from './messages.js';
import type {ConfigSource} from './source.js';

/** @param what the file is, for the error @throws ERR_IO */
export async function readFileOf(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_IO', `${what} ${path} cannot be read: ${reason}`, {cause});
  }
}

/** @param what `the configuration` @throws ERR_CONFIG with one line for each mistake */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  source: ConfigSource,
  what: string,
): {readonly data: z.output<Schema>; readonly source: ConfigSource} {
  if (source.problems.length > 0) throw new CrossmapError('ERR_CONFIG', source.problems.join('\n'));
  const result = schema.safeParse(source.value, {reportInput: true});
  if (result.success) return {data: result.data, source};
  const about = {what, schema: jsonSchemaOf(schema)};
  throw mistakes(
    source,
    result.error.issues.flatMap((issue) => complaintsOf(issue, about)),
  );
}

/** @throws ERR_CONFIG with one line for each complaint, in the order of the file; nothing without any */
export function refuseMistakes(source: ConfigSource, complaints: readonly Complaint[]): void {
  if (complaints.length > 0) throw mistakes(source, complaints);
}

function mistakes(source: ConfigSource, complaints: readonly Complaint[]): CrossmapError {
  const lines = complaints.map(({path, sentence}) => `${source.where(path)}: ${sentence}`);
  lines.sort((a, b) => a.localeCompare(b, 'en', {numeric: true}));
  return new CrossmapError('ERR_CONFIG', [...new Set(lines)].join('\n'));
}
