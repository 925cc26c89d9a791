/** Which sentences prepared data trains on, told from its token files: the corpora need not be there any more. */
import {join} from 'node:path';
import {CrossmapError} from '../../errors.js';
import {cleanText} from '../corpus/clean.js';
import {createHashIndex, hashText, type HashIndex} from '../corpus/hash.js';
import {createBreather, type Breather} from '../pace.js';
import {longestText} from '../sampling/source.js';
import {createDocumentEncoder} from '../shards/encode.js';
import {openShard, type Shard} from '../shards/shard.js';
import {loadTokenizer} from '../tokenizer/load.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import {fileNames, identityOf, readManifest} from './manifest.js';

/** The text of prepared data, as far as it is trained on. */
export interface TrainedText {
  /**
   * Those of some sentences that are trained on, alone or in a pair: equal once they are cleaned. A sentence inside a longer line of a
   * corpus is not found.
   *
   * @throws ERR_FORMAT for a token file that is damaged; ERR_IO; ERR_ABORTED
   */
  among(sentences: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Which prepared data it must be. */
export interface TrainedTextOptions {
  /** `identity` of the data. */
  readonly identity: string;
  /** Tokens of the longest segment: `model.context`. */
  readonly context: number;
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** Texts that are decoded at once. */
const textsAtOnce = 256;

/**
 * Opens the text of a folder of prepared data.
 *
 * @throws ERR_DATA for a folder of other data; ERR_FORMAT for one that is no prepared data, or damaged; ERR_ABORTED
 */
export async function openTrainedText(
  folder: string,
  {identity, context, signal}: TrainedTextOptions,
): Promise<TrainedText> {
  const manifest = await readManifest(folder);
  if (manifest === undefined || identityOf(manifest) !== identity)
    throw new CrossmapError(
      'ERR_DATA',
      `${folder} is not what the model was trained on: it was prepared again since`,
    );
  const tokenizer = await loadTokenizer(join(folder, fileNames.tokenizer));
  const names = [
    ...manifest.texts.flatMap(({shards}) => shards?.training ?? []),
    ...manifest.pairs.map(({shard}) => shard),
  ];
  return {
    async among(sentences) {
      const breather = createBreather(signal);
      const pieces = await piecesOf(sentences, tokenizer, longestText(context));
      const wanted = createHashIndex();
      for (const hash of pieces.flat()) wanted.add(hash);
      const seen = createHashIndex();
      for (const name of names) {
        const shard = await openShard(join(folder, name), breather);
        await findSentences(shard, {tokenizer, wanted, seen, breather});
      }
      return new Set(sentences.filter((_, i) => isSeen(pieces[i] ?? [], seen)));
    },
  };
}

/** A sentence without text is nowhere. */
function isSeen(pieces: readonly number[], seen: HashIndex): boolean {
  return pieces.length > 0 && pieces.every((hash) => seen.has(hash));
}

/**
 * Hashes of the sentences as training text has them: cleaned, through the tokenizer, which may change text, and cut where they are
 * longer than a segment.
 */
async function piecesOf(
  sentences: readonly string[],
  tokenizer: Tokenizer,
  longest: number,
): Promise<number[][]> {
  const encoder = await createDocumentEncoder(tokenizer);
  const texts = sentences.map(cleanText);
  const encoded = await tokenizer.encodeAll(texts);
  return Promise.all(
    encoded.map(async (tokens, i) => {
      const segments =
        tokens.length <= longest ? [{tokens}] : await encoder.inSegments([[texts[i] ?? '']], longest);
      const pieces: number[] = [];
      for (const segment of segments) pieces.push(...(await sentenceHashes(tokenizer, segment.tokens)));
      return pieces;
    }),
  );
}

interface Search {
  readonly tokenizer: Tokenizer;
  readonly wanted: HashIndex;
  /** Takes those that are found. */
  readonly seen: HashIndex;
  readonly breather: Breather;
}

async function findSentences(shard: Shard, {tokenizer, wanted, seen, breather}: Search): Promise<void> {
  for (let at = 0; at < shard.texts; at += textsAtOnce) {
    const places = Array.from({length: Math.min(textsAtOnce, shard.texts - at)}, (_, i) => at + i);
    const hashes = await Promise.all(places.map((text) => sentenceHashes(tokenizer, shard.text(text))));
    for (const hash of hashes.flat()) if (wanted.has(hash)) seen.add(hash);
    await breather.breathe();
  }
}

async function sentenceHashes(tokenizer: Tokenizer, tokens: ArrayLike<number>): Promise<number[]> {
  const text = await tokenizer.decode(tokens);
  // A tokenizer that marks the start of a text with a space puts one before each sentence.
  return text === '' ? [] : text.split('\n').map((sentence) => hashText(sentence.trimStart()));
}
