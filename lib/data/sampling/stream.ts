/** What training reads: packed batches, one after the other, from an exact position. */
import {z} from 'zod';
import type {Config} from '../../config/index.js';
import {CrossmapError} from '../../errors.js';
import type {Batch} from '../batch.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import type {Mixture, MixtureStage, QuotaSource, SharedSource} from './mixture.js';
import {createPacker} from './packer.js';
import {createCursor, type Cursor} from './source.js';

/**
 * Where a stream of batches stands. Plain JSON, a few hundred bytes; a checkpoint carries it.
 */
export interface BatchPosition {
  /** Version of this record. */
  readonly version: 1;
  /** Identity of the prepared data that the position belongs to. */
  readonly data: string;
  /** The seed that orders it: `seed` of the configuration. */
  readonly seed: number;
  /** Batches that have been taken. */
  readonly batches: number;
  /** Segments or pairs taken of each source of text, by its name: `text:cs`, `pair:en/cs`. */
  readonly taken: Readonly<Record<string, number>>;
  /** Tokens taken of each source. */
  readonly tokens: Readonly<Record<string, number>>;
}

/** How often a source of text has been gone through. */
export interface SourceEpochs {
  /** `text:cs`, `pair:en/cs`, ... */
  readonly source: string;
  /** How often its text has been gone through so far. */
  readonly epochs: number;
  /** Tokens that it has given so far. */
  readonly tokens: number;
}

/** An endless stream of training batches: the same for the same data, configuration and seed. */
export interface BatchStream {
  /**
   * The next packed batch, of at most `training.tokensPerBatch` tokens. A step of training takes `training.accumulation` of them.
   * Costs about a millisecond and touches no file that is not memory-mapped.
   */
  next(): Batch;
  /** Where the stream stands, to be given to `restore` of a stream over the same data. */
  readonly position: BatchPosition;
  /**
   * Goes to a position: the batches that follow are those that followed when it was taken.
   *
   * @param position read back from JSON, so of any form
   * @throws ERR_CHECKPOINT for what is no position, or one of other data; the stream then stays where it was
   */
  restore(position: unknown): void;
  /** What has been taken so far, by source. */
  epochs(): SourceEpochs[];
}

const count = z.int().min(0);

const positionSchema = z.strictObject({
  version: z.literal(1),
  data: z.string(),
  seed: count,
  batches: count,
  taken: z.record(z.string(), count),
  tokens: z.record(z.string(), count),
});

/** What a stream is made from. */
interface StreamOptions {
  /** Identity of the prepared data. */
  readonly data: string;
  readonly mixture: Mixture;
  readonly tokenizer: Tokenizer;
  readonly config: Config;
}

type TextCursor = Cursor & Pick<SharedSource, 'share'>;
type PairCursor = Cursor & Pick<QuotaSource, 'quota'>;

/**
 * Opens a stream at its start. Sources are drawn from by how far they lag behind their share, so every batch is close to the planned
 * mixture; what does not fit into a batch waits for the next one, and a shorter piece of another source takes the room.
 */
export function createBatchStream({data, mixture, tokenizer, config}: StreamOptions): BatchStream {
  const {seed} = config;
  const {prefix, sourceWeight} = config.objectives.mapping;
  const {tokensPerBatch} = config.training;
  const packer = createPacker({tokenizer, tokensPerBatch, prefix, sourceWeight});
  const texts = mixture.texts
    .filter(({share}) => share > 0)
    .map(({source, share}): TextCursor => Object.assign(createCursor(source, seed), {share}));
  const stages = mixture.stages.map((stage, index) => {
    const from = (mixture.stages[index - 1]?.until ?? 0) * tokensPerBatch;
    return openStage(stage, {from, config});
  });
  const cursors: readonly Cursor[] = [...texts, ...stages.flatMap(({pairs}) => pairs)];
  let batches = 0;

  const next = (): Cursor | undefined => {
    const room = packer.room();
    const used = batches * tokensPerBatch + tokensPerBatch - room;
    const stage = stages.find(({until}) => batches < until) ?? stages.at(-1);
    const isOver = batches >= mixture.batches || texts.length === 0;
    const pair = stage?.isPairDue(used) ? firstPair(stage.pairs, {room, isOver}) : undefined;
    return pair ?? firstText(texts, room);
  };
  return {
    next() {
      for (let cursor = next(); cursor !== undefined; cursor = next()) cursor.take(packer);
      batches++;
      return packer.finish();
    },
    get position(): BatchPosition {
      const by = (value: (cursor: Cursor) => number): Record<string, number> =>
        Object.fromEntries(cursors.map((cursor) => [cursor.source.name, value(cursor)]));
      const [taken, tokens] = [by((cursor) => cursor.taken), by((cursor) => cursor.tokens)];
      return {version: 1, data, seed, batches, taken, tokens};
    },
    restore(value) {
      const position = checkedPosition(value, {data, seed, names: cursors.map(({source}) => source.name)});
      batches = position.batches;
      for (const cursor of cursors) {
        cursor.taken = position.taken[cursor.source.name] ?? 0;
        cursor.tokens = position.tokens[cursor.source.name] ?? 0;
      }
    },
    epochs: () =>
      cursors.map(({source, taken, tokens}) => ({
        source: source.name,
        epochs: taken / source.units,
        tokens,
      })),
  };
}

/** A stage with places in its pairs. */
interface OpenStage extends Pick<MixtureStage, 'until'> {
  readonly pairs: readonly PairCursor[];
  /** @param used room in batches that is taken, from the start of training on, in tokens */
  isPairDue(used: number): boolean;
}

interface OpenStageOptions {
  /** Tokens that the batches before the stage hold. */
  readonly from: number;
  readonly config: Config;
}

/** A stage at its start. All of its pairs come before it ends: near its end nothing else does, if they are late. */
function openStage(
  {until, pairs: quotas, schedule, pairTokens}: MixtureStage,
  {from, config: {seed, model, training}}: OpenStageOptions,
): OpenStage {
  const {tokensPerBatch, steps, accumulation} = training;
  const pairs = quotas.map(({source, quota}): PairCursor =>
    Object.assign(createCursor(source, seed), {quota}),
  );
  const work = workOf(pairs, pairTokens);
  // Pairs are never cut, so a batch of pairs alone is seldom full: a pair of mean length is lost at worst, but for the last one, which
  // may be of any length.
  const units = pairs.reduce((sum, {quota}) => sum + quota, 0);
  const filled = 1 - pairTokens / Math.max(1, units) / tokensPerBatch;
  const longest = Math.min(2 * model.context, tokensPerBatch);
  const end = until * tokensPerBatch;
  const all = steps * accumulation * tokensPerBatch;
  return {
    until,
    pairs,
    isPairDue(used) {
      if (schedule === undefined) return true;
      if (used >= end) return work() < (used - from) / (end - from);
      const isLate = pairTokens * (1 - work()) > filled * (end - used) - longest;
      return isLate || work() < schedule(used / all);
    },
  };
}

/** The share of the work on pairs that is done, each unit counted with the mean length of its source. */
function workOf(pairs: readonly PairCursor[], pairTokens: number): () => number {
  const means = pairs.map(({source}) => source.tokens / source.units);
  return () =>
    pairTokens === 0 ? 1 : pairs.reduce((sum, {taken}, i) => sum + taken * (means[i] ?? 0), 0) / pairTokens;
}

/** The pairs whose next unit is due first, of those that fit and have not had their quota. */
function firstPair(
  pairs: readonly PairCursor[],
  {room, isOver}: {readonly room: number; readonly isOver: boolean},
): Cursor | undefined {
  const open = pairs.filter(({taken, quota}) => isOver || taken < quota);
  return first(open, room, ({taken, quota}) => (taken + 1) / quota);
}

/** The text that would be furthest behind its share once its next segment is taken. */
function firstText(texts: readonly TextCursor[], room: number): Cursor | undefined {
  return first(texts, room, (cursor) => (cursor.tokens + cursor.nextLength()) / cursor.share);
}

function first<C extends Cursor>(
  cursors: readonly C[],
  room: number,
  deadline: (cursor: C) => number,
): C | undefined {
  let best: C | undefined;
  let earliest = Infinity;
  for (const cursor of cursors) {
    if (cursor.nextLength() > room) continue;
    const at = deadline(cursor);
    if (at < earliest) [best, earliest] = [cursor, at];
  }
  return best;
}

function checkedPosition(
  value: unknown,
  {data, seed, names}: {readonly data: string; readonly seed: number; readonly names: readonly string[]},
): z.output<typeof positionSchema> {
  const result = positionSchema.safeParse(value);
  if (!result.success) throw unfit(`it is no position: ${z.prettifyError(result.error)}`, result.error);
  const position = result.data;
  if (position.data !== data) throw unfit('it belongs to other data, or to data prepared with other options');
  if (position.seed !== seed) throw unfit(`it belongs to seed ${position.seed}; this run has seed ${seed}`);
  const missing = names.find((name) => !(name in position.taken) || !(name in position.tokens));
  const unknown = Object.keys(position.taken).find((name) => !names.includes(name));
  if (missing !== undefined) throw unfit(`it lacks ${missing}, which this run reads`);
  if (unknown !== undefined) throw unfit(`it has ${unknown}, which this run does not read`);
  return position;
}

function unfit(what: string, cause?: unknown): CrossmapError {
  return new CrossmapError('ERR_CHECKPOINT', `the position in the data cannot be taken up: ${what}`, {cause});
}
