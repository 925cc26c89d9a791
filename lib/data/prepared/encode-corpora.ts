/** Writes the token files of the corpora. */
import {join} from 'node:path';
import {CrossmapError} from '../../errors.js';
import {createHashIndex, hashText, type HashIndex} from '../corpus/hash.js';
import type {SentencePair} from '../corpus/pairs.js';
import type {HeldOutPairs} from '../held-out/held-out.js';
import type {PairPlan, TextPlan} from '../held-out/plan.js';
import type {CorpusOptions} from '../corpus/corpora.js';
import type {Breather} from '../pace.js';
import {longestPair, longestText} from '../sampling/source.js';
import type {DocumentEncoder} from '../shards/encode.js';
import {createShard, type ShardWriter} from '../shards/shard.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import {createExamples, type Example} from './examples.js';
import type {FertilitySample} from './fertility.js';
import {walkDocuments, walkPairs} from './walk.js';

/** What encoding works with. */
export interface Encoding {
  readonly folder: string;
  readonly tokenizer: Tokenizer;
  readonly encoder: DocumentEncoder;
  readonly fertility: FertilitySample;
  readonly breather: Breather;
  readonly reading: CorpusOptions;
  readonly context: number;
  readonly tokensPerBatch: number;
  /** Ids of the texts of pairs. */
  readonly textIds: HashIndex;
}

/** The digests of written token files by their names. */
type Digests = Readonly<Record<string, string>>;

/** The token files of one language. */
interface EncodedCorpus {
  readonly shards: {readonly training: string; readonly heldOut: string};
  readonly digests: Digests;
  /** Of what was left out. */
  readonly examples: Example[];
}

/** The token file of two languages, with the pairs that are kept as text. */
export interface EncodedPairs {
  readonly shard: string;
  readonly digests: Digests;
  readonly tooLong: number;
  /** Of what was left out. */
  readonly examples: Example[];
  readonly heldOut: HeldOutPairs;
}

/** An index of text ids, empty. */
export const createTextIds = createHashIndex;

/**
 * Writes the text of one language: segments to train on, and whole held-out documents.
 *
 * @throws ERR_DATA if nothing is left to train on; ERR_IO; ERR_ABORTED
 */
export async function encodeText(plan: TextPlan, encoding: Encoding): Promise<EncodedCorpus> {
  const {encoder, fertility, context, reading} = encoding;
  const {language} = plan.corpus;
  const shards = {training: `text.${language}.tokens`, heldOut: `held-out.${language}.tokens`};
  const examples = createExamples();
  let segments = 0;
  const digests = await writeShards(Object.values(shards), encoding, async ([training, heldOut]) => {
    for await (const batch of walkDocuments(plan, reading)) {
      for (const segment of await encoder.inSegments(batch.training, longestText(context))) {
        training?.add({...segment, textId: 0});
        segments++;
      }
      for (const document of await encoder.whole(batch.heldOut)) heldOut?.add({...document, textId: 0});
      for (const {reason, item} of batch.dropped) examples.add(reason, item.join(' '));
      fertility.add(language, batch.training.flat());
      await training?.drain();
      await heldOut?.drain();
      await encoding.breather.breathe();
    }
  });
  if (segments === 0)
    throw new CrossmapError(
      'ERR_DATA',
      `no text of ${language} is left to train on: all of it occurs in held-out text; give more text, or a smaller data.heldOut`,
    );
  return {shards, digests, examples: examples.chosen()};
}

/**
 * Writes the pairs of two languages, and collects those that are held out.
 *
 * @throws ERR_DATA if no pair is left to train on; ERR_IO; ERR_ABORTED
 */
export async function encodePairs(plan: PairPlan, encoding: Encoding): Promise<EncodedPairs> {
  const {fertility, context, tokensPerBatch, reading} = encoding;
  const {source, target} = plan.corpus;
  const shard = `pairs.${source}.${target}.tokens`;
  const longest = longestPair(context, tokensPerBatch);
  const heldOut: SentencePair[] = [];
  const examples = createExamples();
  let [tooLong, kept] = [0, 0];
  const digests = await writeShards([shard], encoding, async ([writer]) => {
    for await (const batch of walkPairs(plan, reading)) {
      heldOut.push(...batch.heldOut);
      for (const {reason, item} of batch.dropped) examples.add(reason, item.join('\t'));
      fertility.add(
        source,
        batch.training.map(([x]) => x),
      );
      fertility.add(
        target,
        batch.training.map(([, y]) => y),
      );
      const sides = await encodeSides(batch.training.flat(), encoding);
      for (let i = 0; i + 1 < sides.length; i += 2) {
        const [x, y] = [sides[i], sides[i + 1]];
        if (x === undefined || y === undefined) continue;
        if (x.tokens.length + y.tokens.length > longest) {
          tooLong++;
          examples.add('tooLong', batch.training[i / 2]?.join('\t') ?? '');
          continue;
        }
        writer?.add(x);
        writer?.add(y);
        kept++;
      }
      await writer?.drain();
      await encoding.breather.breathe();
    }
  });
  if (kept === 0)
    throw new CrossmapError(
      'ERR_DATA',
      `no pair of ${source} and ${target} is left to train on: ${tooLong} are longer than ${longest} tokens ` +
        `(raise model.context or training.tokensPerBatch), ${plan.counts.heldOut} are held out, ${plan.counts.heldOutSentence} have a held-out sentence`,
    );
  return {
    shard,
    digests,
    tooLong,
    examples: examples.chosen(),
    heldOut: {source, target, ...inFixedOrder(heldOut, plan.pivot)},
  };
}

/**
 * Held-out pairs in an order that files do not decide: any first part is a sample of all, and that of several languages with the same
 * pivot has the same sentences as far as they are translated.
 */
function inFixedOrder(
  pairs: readonly SentencePair[],
  pivot: 0 | 1,
): Pick<HeldOutPairs, 'sources' | 'targets'> {
  const ranked = pairs.map((pair) => ({pair, rank: hashText(pair[pivot])}));
  ranked.sort((a, b) => a.rank - b.rank);
  return {sources: ranked.map(({pair: [x]}) => x), targets: ranked.map(({pair: [, y]}) => y)};
}

async function encodeSides(texts: readonly string[], {tokenizer, textIds}: Encoding) {
  const encoded = await tokenizer.encodeAll(texts);
  return texts.map((text, i) => ({
    tokens: encoded[i] ?? new Int32Array(),
    bytes: Buffer.byteLength(text),
    textId: textIds.add(hashText(text)),
  }));
}

/** Opens token files, has them filled, finishes and closes them. */
async function writeShards(
  names: readonly string[],
  {folder, tokenizer}: Encoding,
  fill: (writers: readonly ShardWriter[]) => Promise<void>,
): Promise<Digests> {
  const writers: ShardWriter[] = [];
  try {
    for (const name of names) writers.push(await createShard(join(folder, name), tokenizer.vocabSize));
    await fill(writers);
    const digests = await Promise.all(writers.map((writer) => writer.finish()));
    return Object.fromEntries(names.map((name, i) => [name, digests[i] ?? '']));
  } finally {
    for (const writer of writers) await writer.close();
  }
}
