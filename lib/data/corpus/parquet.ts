/** The rows of a Parquet file, one row group at a time. */
import {createWriteStream} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
} from 'hyparquet';
import {compressors} from 'hyparquet-compressors';
import {CrossmapError} from '../../errors.js';
import {isPacked, readBytes, readError, type ReadOptions} from './bytes.js';
import type {Placed} from './records.js';

/**
 * The rows in order, those of a row group at a time, which is what memory is needed for.
 *
 * @param fields paths of the fields that are read: of the others no byte is
 * @throws ERR_DATA for a file that is missing or no Parquet file; ERR_IO; ERR_ABORTED
 */
export async function* readParquet(
  file: string,
  fields: readonly string[],
  options: ReadOptions,
): AsyncGenerator<Placed[]> {
  let row = 0;
  let opened: Opened | undefined;
  try {
    opened = await openFile(file, options);
    const {bytes} = opened;
    const metadata = await parquetMetadataAsync(bytes);
    const names = new Set(parquetSchema(metadata).children.map(({element}) => element.name));
    const columns = [...new Set(fields.map((field) => columnOf(field, names)))].filter((name) =>
      names.has(name),
    );
    for (const group of metadata.row_groups) {
      options.signal?.throwIfAborted();
      const rowEnd = row + Number(group.num_rows);
      const rows = await parquetReadObjects({
        file: bytes,
        metadata,
        compressors,
        rowStart: row,
        rowEnd,
        // A file that lacks them all is read whole, so that an error can name what there is.
        ...(columns.length > 0 && {columns}),
      });
      const first = row;
      yield rows.map((value, index) => ({place: `${file}, row ${first + index}`, value}));
      row = rowEnd;
    }
  } catch (cause) {
    throw parquetError(file, options, row, cause);
  } finally {
    await opened?.close();
  }
}

/** `translation.en` is in the column `translation`, unless a column has the whole name. */
function columnOf(field: string, names: ReadonlySet<string>): string {
  return names.has(field) ? field : (field.split('.')[0] ?? field);
}

interface Opened {
  readonly bytes: AsyncBuffer;
  readonly close: () => Promise<void>;
}

async function openFile(file: string, options: ReadOptions): Promise<Opened> {
  if (await isPacked(file)) return openPacked(file, options);
  const {byteLength, slice} = await asyncBufferFromFile(file);
  const bytes: AsyncBuffer = {
    byteLength,
    async slice(start, end) {
      const part = await slice(start, end);
      options.onBytes?.(part.byteLength);
      return part;
    },
  };
  return {bytes, close: async () => {}};
}

/** A file that is gzip or Zstandard as a whole: its end comes first, so it is unpacked into a temporary file. */
async function openPacked(file: string, options: ReadOptions): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'crossmap-parquet-'));
  const close = (): Promise<void> => rm(folder, {recursive: true, force: true});
  try {
    const unpacked = join(folder, 'unpacked.parquet');
    await pipeline(readBytes(file, options), createWriteStream(unpacked));
    return {bytes: await asyncBufferFromFile(unpacked), close};
  } catch (error) {
    await close();
    throw readError(file, options, 'while it was unpacked', error);
  }
}

/** The reader throws plain errors for what is no Parquet file, and those of the system for the rest. */
function parquetError(file: string, options: ReadOptions, row: number, cause: unknown): unknown {
  const isOfSystem = cause instanceof Error && 'code' in cause;
  if (cause instanceof CrossmapError || isOfSystem || options.signal?.aborted || !(cause instanceof Error))
    return readError(file, options, `after row ${row}`, cause);
  return new CrossmapError(
    'ERR_DATA',
    `${file} is no Parquet file that can be read, after row ${row}: ${cause.message}`,
    {cause},
  );
}
