/** Two columns of a tab-separated file. */
import {CrossmapError} from '../../errors.js';
import type {ReadOptions} from './bytes.js';
import {readLines} from './lines.js';
import type {Sides} from './tmx.js';

/**
 * The cells of two columns, some thousands at a time. A first row that has the two language codes in them is a heading and no pair.
 *
 * @param columns counted from 0
 * @throws ERR_DATA for a row without the column; what `readLines` throws
 */
export async function* readColumns(
  file: string,
  [first, second]: readonly [number, number],
  {source, target, ...options}: Sides & ReadOptions,
): AsyncGenerator<(readonly [string, string])[]> {
  const last = Math.max(first, second);
  let line = 0;
  for await (const lines of readLines(file, options)) {
    const pairs: (readonly [string, string])[] = [];
    for (const text of lines) {
      line++;
      if (text === '') continue;
      const cells = text.split('\t');
      if (cells.length <= last)
        throw new CrossmapError(
          'ERR_DATA',
          `${file}:${line}: has ${cells.length} tab-separated columns; column ${last} (counted from 0) is needed for ${options.option}`,
        );
      const pair = [cells[first] ?? '', cells[second] ?? ''] as const;
      const isHeading = line === 1 && pair[0].trim() === source && pair[1].trim() === target;
      if (!isHeading) pairs.push(pair);
    }
    if (pairs.length > 0) yield pairs;
  }
}
