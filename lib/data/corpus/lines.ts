/** The lines of a text file, strictly UTF-8. */
import {CrossmapError} from '../../errors.js';
import {readBytes, readError, type ReadOptions} from './bytes.js';

/**
 * The lines of a file in order, some thousands at a time, without their line ends. The last line needs none.
 *
 * @throws ERR_DATA for a file that is missing, is no UTF-8 (with the line), or is packed and damaged or cut short; ERR_IO;
 *   ERR_ABORTED
 */
export async function* readLines(file: string, options: ReadOptions): AsyncGenerator<string[]> {
  let line = 0;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of readBytes(file, options)) {
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
    throw readError(file, options, `after line ${line}`, cause);
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
