/** Writes the token files of the corpora. */
import {CrossmapError} from '../../errors.js';
import {z} from 'zod';
import {hashText} from '../corpus/hash.js';
import {inOrder} from '../in-order.js';
import type {SentencePair} from '../corpus/pairs.js';
import type {PairPlan, TextPlan} from '../held-out/plan.js';
import type {CorpusOptions} from '../corpus/corpora.js';
import type {Breather} from '../pace.js';
import {longestPair, longestText} from '../sampling/source.js';
import {encodedAhead, type DocumentEncoder} from '../shards/encode.js';
import {createShard, type ShardWriter} from '../shards/shard.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import {createExamples} from './examples.js';
import {sampleSentences} from './fertility.js';
import type {Journal} from './journal.js';
import {examplesSchema} from './manifest.js';
import {heldOutPairsSchema} from './open.js';
import type {TextIds} from './text-ids.js';
import {walkDocuments, walkPairs} from './walk.js';

/** What encoding works with. */
export interface Encoding {
  readonly journal: Journal;
  readonly tokenizer: Tokenizer;
  readonly encoder: DocumentEncoder;
  readonly breather: Breather;
  readonly reading: CorpusOptions;
  readonly context: number;
  readonly tokensPerBatch: number;
  /** Ids of the texts of pairs. */
  readonly textIds: TextIds;
  /** Called with the files of a corpus that was encoded by an earlier start. */
  onKnown(files: readonly string[]): void;
}

/** The digests of written token files by their names. */
const digestsSchema = z.record(z.string(), z.string());

type Digests = z.output<typeof digestsSchema>;

/** The first sentences, for `FertilitySample`. */
const sampleSchema = z.array(z.string());

/** The token files of one language, as their step records them. */
const encodedTextSchema = z.strictObject({
  digests: digestsSchema,
  segments: z.int().min(0),
  examples: examplesSchema,
  sample: sampleSchema,
});

/** The token file of two languages, as its step records it, with the pairs that are kept as text. */
const encodedPairsSchema = z.strictObject({
  digests: digestsSchema,
  kept: z.int().min(0),
  tooLong: z.int().min(0),
  examples: examplesSchema,
  heldOut: heldOutPairsSchema,
  samples: z.tuple([sampleSchema, sampleSchema]),
});

interface EncodedText extends z.output<typeof encodedTextSchema> {
  /** Names of the token files. */
  readonly shards: {readonly training: string; readonly heldOut: string};
}

export interface EncodedPairs extends z.output<typeof encodedPairsSchema> {
  /** Name of the token file. */
  readonly shard: string;
}

/**
 * Writes the text of one language: segments to train on, and whole held-out documents.
 *
 * @throws ERR_DATA if nothing is left to train on; ERR_IO; ERR_ABORTED
 */
export async function encodeText(plan: TextPlan, encoding: Encoding): Promise<EncodedText> {
  const {journal, onKnown} = encoding;
  const {language, files} = plan.corpus;
  const shards = {training: `text.${language}.tokens`, heldOut: `held-out.${language}.tokens`};
  const names = [shards.training, shards.heldOut];
  const encoded = await journal.step(`text.${language}`, {
    schema: encodedTextSchema,
    files: names.map((name) => journal.dataPath(name)),
    onKnown: () => onKnown(files),
    work: () => writeText(plan, names, encoding),
  });
  if (encoded.segments === 0)
    throw new CrossmapError(
      'ERR_DATA',
      `no text of ${language} is left to train on: all of it occurs in held-out text; give more text, or a smaller data.heldOut`,
    );
  return {shards, ...encoded};
}

async function writeText(
  plan: TextPlan,
  names: readonly string[],
  encoding: Encoding,
): Promise<z.output<typeof encodedTextSchema>> {
  const {encoder, context, reading} = encoding;
  const examples = createExamples();
  const sample: string[] = [];
  let segments = 0;
  const digests = await writeShards(names, encoding, async ([training, heldOut]) => {
    const batches = inOrder(walkDocuments(plan, reading), {
      ahead: encodedAhead,
      work: async (batch) => ({
        ...batch,
        segments: await encoder.inSegments(batch.training, longestText(context)),
        whole: await encoder.whole(batch.heldOut),
      }),
    });
    for await (const batch of batches) {
      for (const segment of batch.segments) training?.add({...segment, textId: 0});
      segments += batch.segments.length;
      for (const document of batch.whole) heldOut?.add({...document, textId: 0});
      for (const {reason, item} of batch.dropped) examples.add(reason, item.join(' '));
      sample.push(...batch.training.flat().slice(0, sampleSentences - sample.length));
      await training?.drain();
      await heldOut?.drain();
      await encoding.breather.breathe();
    }
  });
  return {digests, segments, examples: examples.chosen(), sample};
}

/**
 * Writes the pairs of two languages, and collects those that are held out.
 *
 * @throws ERR_DATA if no pair is left to train on; ERR_IO; ERR_ABORTED
 */
export async function encodePairs(plan: PairPlan, encoding: Encoding): Promise<EncodedPairs> {
  const {journal, onKnown, context, tokensPerBatch} = encoding;
  const {source, target, name: own, files} = plan.corpus;
  const name = ['pairs', ...(own === undefined ? [] : [own]), source, target].join('.');
  const shard = `${name}.tokens`;
  const encoded = await journal.step(name, {
    schema: encodedPairsSchema,
    files: [journal.dataPath(shard)],
    onKnown: () => onKnown(files),
    work: () => writePairs(plan, shard, encoding),
  });
  if (encoded.kept === 0)
    throw new CrossmapError(
      'ERR_DATA',
      `no pair of ${source} and ${target} is left to train on: ${encoded.tooLong} are longer than ${longestPair(context, tokensPerBatch)} tokens ` +
        `(raise model.context or training.tokensPerBatch), ${plan.counts.heldOut} are held out, ${plan.counts.heldOutSentence} have a held-out sentence`,
    );
  return {shard, ...encoded};
}

async function writePairs(
  plan: PairPlan,
  shard: string,
  encoding: Encoding,
): Promise<z.output<typeof encodedPairsSchema>> {
  const {context, tokensPerBatch, reading} = encoding;
  const {source, target} = plan.corpus;
  const longest = longestPair(context, tokensPerBatch);
  const heldOut: SentencePair[] = [];
  const examples = createExamples();
  const sample: SentencePair[] = [];
  let [tooLong, kept] = [0, 0];
  const digests = await writeShards([shard], encoding, async ([writer]) => {
    const batches = inOrder(walkPairs(plan, reading), {
      ahead: encodedAhead,
      work: async (batch) => ({...batch, sides: await encodeSides(batch.training.flat(), encoding)}),
    });
    for await (const {sides, ...batch} of batches) {
      heldOut.push(...batch.heldOut);
      for (const {reason, item} of batch.dropped) examples.add(reason, item.join('\t'));
      sample.push(...batch.training.slice(0, sampleSentences - sample.length));
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
  return {
    digests,
    kept,
    tooLong,
    examples: examples.chosen(),
    heldOut: {source, target, ...inFixedOrder(heldOut, plan.pivot)},
    samples: [sample.map(([x]) => x), sample.map(([, y]) => y)],
  };
}

/**
 * Held-out pairs in an order that files do not decide: any first part is a sample of all, and that of several languages with the same
 * pivot has the same sentences as far as they are translated.
 */
function inFixedOrder(pairs: readonly SentencePair[], pivot: 0 | 1): {sources: string[]; targets: string[]} {
  const ranked = pairs.map((pair) => ({pair, rank: hashText(pair[pivot])}));
  ranked.sort((a, b) => a.rank - b.rank);
  return {sources: ranked.map(({pair: [x]}) => x), targets: ranked.map(({pair: [, y]}) => y)};
}

async function encodeSides(texts: readonly string[], {tokenizer, textIds}: Encoding) {
  const encoded = await tokenizer.encodeAll(texts);
  return texts.map((text, i) => ({
    tokens: encoded[i] ?? new Int32Array(),
    bytes: Buffer.byteLength(text),
    textId: textIds(hashText(text)),
  }));
}

/** Opens token files, has them filled, finishes and closes them. */
async function writeShards(
  names: readonly string[],
  {journal, tokenizer}: Encoding,
  fill: (writers: readonly ShardWriter[]) => Promise<void>,
): Promise<Digests> {
  const writers: ShardWriter[] = [];
  try {
    for (const name of names) writers.push(await createShard(journal.dataPath(name), tokenizer.vocabSize));
    await fill(writers);
    const digests = await Promise.all(writers.map((writer) => writer.finish()));
    return Object.fromEntries(names.map((name, i) => [name, digests[i] ?? '']));
  } finally {
    for (const writer of writers) await writer.close();
  }
}
