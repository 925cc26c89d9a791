/** Keys and values of sequences that are being generated. */
import {attention} from '../ops/index.js';
import {zeros, type Tensor} from '../tensor/index.js';
import type {Attend} from './block.js';
import {cumulative} from './cumulative.js';
import type {Decoder} from './decoder.js';
import {maskOf} from './forward.js';
import {indices} from './input.js';
import {owned} from './parameters.js';

/** What each sequence of a cache may come to hold. */
interface CacheSequence {
  /** Tokens, at most. */
  readonly capacity: number;
  /** Length of its bidirectional prefix; 0 is plain causal. */
  readonly prefix: number;
}

/**
 * Room for the keys and values of sequences, each in rows of its own of one tensor per block. The room that a sequence has not filled
 * yet is a segment without queries, so attention never reads it.
 */
export class Cache {
  readonly #decoder: Decoder;

  readonly #sequences: readonly CacheSequence[];

  /** [sequences + 1] first row of each sequence, then the number of rows. */
  readonly #starts: readonly number[];

  /** [sequences] tokens held. */
  readonly #lengths: number[];

  /** [layers] of [rows, kvHeads, headDim] each. */
  readonly #blocks: readonly {readonly keys: Tensor; readonly values: Tensor}[];

  constructor(decoder: Decoder, sequences: readonly CacheSequence[]) {
    const {shape, dtype, device} = decoder;
    this.#decoder = decoder;
    this.#sequences = sequences;
    this.#starts = cumulative(sequences.map(({capacity}) => capacity));
    this.#lengths = sequences.map(() => 0);
    const room = (): Tensor =>
      owned(() => zeros([this.#starts.at(-1) ?? 0, shape.kvHeads, shape.headDim], {dtype, device}));
    this.#blocks = Array.from({length: shape.layers}, () => ({keys: room(), values: room()}));
  }

  /** [sequences] tokens held. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /**
   * Attention for a forward pass over new tokens, packed in the order of the sequences: their keys and values are kept, and they
   * attend to all of their sequence. The innermost scope frees what it needs.
   *
   * @param tokens [sequences] new tokens of each; 0 for a sequence that is not in the pass
   */
  extend(tokens: readonly number[]): Attend {
    const {shape, device} = this.#decoder;
    const before = [...this.#lengths];
    for (const [sequence, count] of tokens.entries())
      this.#lengths[sequence] = (before[sequence] ?? 0) + count;
    // Two segments for each sequence: what it holds now, then its free rows.
    const held = this.#sequences.map(({capacity, prefix}, sequence) => {
      const length = this.#lengths[sequence] ?? 0;
      return {length, free: capacity - length, prefix: Math.min(prefix, length)};
    });
    const packed = (values: readonly number[]): Tensor => indices(values, device);
    const segmentStarts = packed(cumulative(tokens.flatMap((count) => [count, 0])));
    const keyStarts = packed(cumulative(held.flatMap(({length, free}) => [length, free])));
    // Also for tokens after the prefix: it stays in sight where a window would hide it.
    const hasPrefix = held.some(({prefix}) => prefix > 0);
    const prefixLengths = hasPrefix ? packed(held.flatMap(({prefix}) => [prefix, 0])) : undefined;
    return (layer, q, k, v) => {
      const block = this.#blocks[layer - 1];
      if (block === undefined) throw new RangeError(`the cache has no block ${layer}`);
      this.#write(block.keys, k, {tokens, before});
      this.#write(block.values, v, {tokens, before});
      return attention(q, block.keys, block.values, {
        segmentStarts,
        keyStarts,
        prefixLengths,
        ...maskOf(shape, layer),
      });
    };
  }

  /**
   * Makes a sequence hold what another one holds, whose place must have room for it.
   *
   * @param from must have tokens
   */
  copy(from: number, to: number): void {
    const length = this.#lengths[from] ?? 0;
    const [source, target] = [this.#starts[from] ?? 0, this.#starts[to] ?? 0];
    for (const {keys, values} of this.#blocks)
      for (const room of [keys, values])
        room.rows(target, target + length).copyFrom(room.rows(source, source + length));
    this.#lengths[to] = length;
  }

  dispose(): void {
    for (const {keys, values} of this.#blocks) {
      keys.dispose();
      values.dispose();
    }
  }

  #write(
    room: Tensor,
    packed: Tensor,
    {tokens, before}: {tokens: readonly number[]; before: readonly number[]},
  ): void {
    let from = 0;
    for (const [sequence, count] of tokens.entries()) {
      if (count === 0) continue;
      const to = (this.#starts[sequence] ?? 0) + (before[sequence] ?? 0);
      room.rows(to, to + count).copyFrom(packed.rows(from, from + count));
      from += count;
    }
  }
}
