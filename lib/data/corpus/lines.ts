/** The lines of a text file, plain or gzip, strictly UTF-8. */
import {createReadStream} from 'node:fs';
import {open} from 'node:fs/promises';
import {createGunzip} from 'node:zlib';
import {CrossmapError} from '../../errors.js';

/** How a file is read. */
export interface ReadOptions {
  /** What names the file, for errors: `data.monolingual[0]`. */
  readonly option: string;
  /** Called with the bytes of the file, as they lie on the disk, that have been read since the last call. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * The lines of a file in order, some thousands at a time, without their line ends. The last line needs none.
 *
 * @throws ERR_DATA for a file that is missing, is no UTF-8 (with the line) or is a gzip file cut short; ERR_IO; ERR_ABORTED
 */
export async function* readLines(file: string, options: ReadOptions): AsyncGenerator<string[]> {
  let line = 0;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of readBytes(file, options)) {
      options.signal?.throwIfAborted();
      const end = chunk.lastIndexOf(10);
      if (end < 0) {
        rest = Buffer.concat([rest, chunk]);
        continue;
      }
      const lines = decode(Buffer.concat([rest, chunk.subarray(0, end)]), file, line);
      rest = chunk.subarray(end + 1);
      line += lines.length;
      yield lines;
    }
    if (rest.length > 0) yield decode(rest, file, line);
  } catch (cause) {
    throw readError(file, options, line, cause);
  }
}

async function* readBytes(file: string, {onBytes}: ReadOptions): AsyncGenerator<Buffer> {
  const gzip = await isGzip(file);
  const bytes = createReadStream(file, {highWaterMark: 1 << 18});
  bytes.on('data', (chunk) => onBytes?.(chunk.length));
  if (!gzip) {
    yield* bytes;
    return;
  }
  const gunzip = createGunzip({chunkSize: 1 << 18});
  bytes.on('error', (error) => gunzip.destroy(error));
  try {
    yield* bytes.pipe(gunzip);
  } finally {
    bytes.destroy();
    gunzip.destroy();
  }
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const {bytesRead, buffer} = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

function decode(bytes: Buffer, file: string, before: number): string[] {
  const decoder = new TextDecoder('utf-8', {fatal: true});
  try {
    return decoder.decode(bytes).split('\n').map(withoutReturn);
  } catch {
    throw notUtf8(bytes, file, before);
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Finds the line: a byte 10 is never part of another character, so lines can be tried one by one. */
function notUtf8(bytes: Buffer, file: string, before: number): CrossmapError {
  const decoder = new TextDecoder('utf-8', {fatal: true});
  let line = before;
  for (let start = 0; start <= bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end;
    try {
      decoder.decode(bytes.subarray(start, stop));
    } catch {
      break;
    }
    start = stop + 1;
  }
  return new CrossmapError(
    'ERR_DATA',
    `${file}:${line + 1}: is not UTF-8; convert the file, for example with iconv`,
  );
}

function readError(file: string, {option, signal}: ReadOptions, line: number, cause: unknown): unknown {
  if (cause instanceof CrossmapError) return cause;
  if (signal?.aborted) return new CrossmapError('ERR_ABORTED', 'preparing the data was stopped', {cause});
  if (!(cause instanceof Error)) return cause;
  const code = 'code' in cause ? cause.code : undefined;
  const fail = (message: string): CrossmapError => new CrossmapError('ERR_DATA', message, {cause});
  if (code === 'ENOENT') return fail(`${file} does not exist; ${option} names it`);
  if (code === 'EISDIR') return fail(`${file} is a folder; ${option} must name a file`);
  if (code === 'Z_BUF_ERROR') return fail(`${file} is a gzip file cut short, after line ${line}`);
  if (typeof code === 'string' && code.startsWith('Z_'))
    return fail(`${file} is a damaged gzip file, after line ${line}: ${cause.message}`);
  return new CrossmapError('ERR_IO', `cannot read ${file}: ${cause.message}`, {cause});
}
