/** Corpora on standard input, which is read once: what it gives is kept in a file beside the prepared data. */
import {createWriteStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {pipeline} from 'node:stream/promises';
import type {Config} from '../../config/index.js';
import {CrossmapError} from '../../errors.js';
import {publishFile} from '../../formats/atomic.js';

/** The name that stands for standard input. */
const standardInput = '-';

/** How standard input is taken. */
interface InputOptions {
  /** Of the prepared data; the file stands beside it. */
  readonly folder: string;
  /** Whether a file that is there is replaced, where something comes. Else standard input is not touched: it may never end. */
  readonly isReplaced: boolean;
  /** Default the process's own. */
  readonly input?: NodeJS.ReadableStream & {readonly isTTY?: boolean};
}

/**
 * The configuration with a file in the place of standard input, if it has that; so training can go on from what was prepared.
 *
 * @throws ERR_DATA where there is no file and nothing comes; ERR_IO
 */
export async function withStandardInput(
  config: Config,
  {folder, isReplaced, input = process.stdin}: InputOptions,
): Promise<Config> {
  const {monolingual, parallel} = config.data;
  const isNamed = [...(monolingual ?? []), ...(parallel ?? [])].some(({files = [], ...entry}) =>
    [...files, ...('file' in entry ? (entry.file ?? []) : [])].includes(standardInput),
  );
  if (!isNamed) return config;
  const file = `${folder}.stdin`;
  const isThere = (await sizeOf(file)) > 0;
  const isRead = (isReplaced || !isThere) && input.isTTY !== true;
  const isFilled = isRead && (await keep(input, file));
  if (!isFilled && !isThere)
    throw new CrossmapError(
      'ERR_DATA',
      'a corpus is to come from standard input (-), which is empty: pipe it in, as in zcat text.gz | crossmap data train.yaml',
    );
  const named = (name: string): string => (name === standardInput ? file : name);
  return {
    ...config,
    data: {
      ...config.data,
      ...(monolingual && {
        monolingual: monolingual.map((entry) => ({...entry, files: entry.files.map(named)})),
      }),
      ...(parallel && {
        parallel: parallel.map((entry) => ({...entry, ...(entry.file && {file: entry.file.map(named)})})),
      }),
    },
  };
}

/** Whether anything came. */
async function keep(input: NodeJS.ReadableStream, file: string): Promise<boolean> {
  let bytes = 0;
  const counted = async function* (source: AsyncIterable<string | Buffer>) {
    for await (const chunk of source) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const nothing = new Error('nothing came');
  try {
    await publishFile(file, async (temporary) => {
      await pipeline(input, counted, createWriteStream(temporary));
      if (bytes === 0) throw nothing;
    });
  } catch (error) {
    if (error !== nothing) throw error;
  }
  return bytes > 0;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
