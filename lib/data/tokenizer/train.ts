/** Trains a tokenizer and writes its file. */
import {writeFile} from 'node:fs/promises';
import {CrossmapError} from '../../errors.js';
import {publishFile} from '../../formats/atomic.js';
import {cleanText} from '../corpus/clean.js';
import {createBreather, type Breather} from '../pace.js';
import {trainMerges} from './bpe.js';
import {controlNames, isLanguageName, languageToken} from './control.js';
import {tokenizerJson} from './file.js';
import {loadTokenizer} from './load.js';
import type {Tokenizer} from './tokenizer.js';
import {countWords} from './words.js';

/** What a tokenizer is to have. */
export interface TrainTokenizerOptions {
  /** Entries of the vocabulary, control tokens included, at most: a small text yields fewer. At least 259 and one for each language. */
  readonly vocabSize: number;
  /** Languages that get a control token. */
  readonly languages: readonly string[];
  /** Where the `tokenizer.json` is written. */
  readonly file: string;
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Trains byte-level BPE on texts, writes it as a `tokenizer.json` and opens it.
 *
 * @param texts are cleaned on the way in: see `cleanText`
 * @throws ERR_ARGUMENT for a vocabulary without room for the bytes and control tokens, and for a language named as a control token;
 *   ERR_IO; ERR_ABORTED
 */
export async function trainTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  {vocabSize, languages, file, signal}: TrainTokenizerOptions,
): Promise<Tokenizer> {
  checkVocabulary({vocabSize, languages});
  const breather = createBreather(signal);
  const counts = new Map<string, number>();
  for await (const text of texts) {
    countWords(cleanText(text), counts);
    await breather.breathe();
  }
  const json = await trainedJson(counts, {vocabSize, languages, breather});
  await publishFile(file, (temporary) => writeFile(temporary, json));
  return loadTokenizer(file);
}

interface TrainedOptions extends Pick<TrainTokenizerOptions, 'vocabSize' | 'languages'> {
  readonly breather: Breather;
  readonly onProgress?: (done: number) => void;
}

/**
 * The text of a `tokenizer.json` trained on counted words.
 *
 * @throws what `trainTokenizer` throws, ERR_IO aside
 */
export async function trainedJson(
  counts: ReadonlyMap<string, number>,
  {vocabSize, languages, ...options}: TrainedOptions,
): Promise<string> {
  checkVocabulary({vocabSize, languages});
  const entries = vocabSize - controlNames.length - languages.length;
  const merges = await trainMerges(counts, {entries, ...options});
  return tokenizerJson(merges, [...languages].sort());
}

/**
 * Checks what a tokenizer is to have, before any text is read.
 *
 * @throws ERR_ARGUMENT
 */
export function checkVocabulary({
  vocabSize,
  languages,
}: Pick<TrainTokenizerOptions, 'vocabSize' | 'languages'>): void {
  const taken = languages.find((language) => !isLanguageName(language));
  if (taken !== undefined)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `language ${taken} cannot have the control token ${languageToken(taken)}, which has another meaning; name it differently, for example ${taken}-x`,
    );
  const control = controlNames.length + languages.length;
  if (vocabSize < 256 + control)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `tokenizer.vocabSize must be ${256 + control} or more: 256 bytes and ${control} control tokens; got ${vocabSize}`,
    );
}
