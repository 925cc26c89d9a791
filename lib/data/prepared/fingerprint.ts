/** What prepared data depends on. */
import {stat} from 'node:fs/promises';
import type {Config} from '../../config/index.js';
import type {Corpora} from '../corpus/corpora.js';
import {longestPair, longestText} from '../sampling/source.js';
import {sha256} from './manifest.js';

/** Raised whenever the same options and files are prepared in another way. */
const preparation = 4;

/** What files were when they were looked at. */
export interface FileState {
  /** Bytes of all corpora on the disk. */
  readonly bytes: number;
  /** Bytes of some of the corpora, by their files. */
  bytesOf(files: readonly string[]): number;
  /** Differs once a file is written anew. */
  readonly fingerprint: string;
}

/**
 * The state of all files that preparation reads, with the options that decide what it makes of them. Seed, mixture and objectives are not
 * among them: they decide what training draws, not what there is. A file that is missing counts as such; reading it says more.
 */
export async function fileState(config: Config, {texts, pairs}: Corpora): Promise<FileState> {
  const {data, tokenizer, model, training} = config;
  const corpora = [...texts, ...pairs].flatMap(({files}) => files);
  const files = tokenizer.file === undefined ? corpora : [...corpora, tokenizer.file];
  const states = await Promise.all(files.map(stateOf));
  const {monolingual, parallel, filters, heldOut} = data;
  const {context} = model;
  const lengths = [longestText(context), longestPair(context, training.tokensPerBatch)];
  const options = {preparation, monolingual, parallel, filters, heldOut, tokenizer, lengths};
  const sizes = new Map(files.map((file, i) => [file, states[i]?.size ?? 0]));
  const bytesOf = (some: readonly string[]): number =>
    some.reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
  return {
    bytes: bytesOf(corpora),
    bytesOf,
    fingerprint: sha256(JSON.stringify([options, states])),
  };
}

async function stateOf(file: string): Promise<{size: number; modified: number}> {
  try {
    const {size, mtimeMs} = await stat(file);
    return {size, modified: mtimeMs};
  } catch {
    return {size: 0, modified: 0};
  }
}
