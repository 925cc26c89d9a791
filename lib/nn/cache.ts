/** Keys and values of sequences that are being generated. */
import {attention} from '../ops/index.js';
import {zeros, type Tensor} from '../tensor/index.js';
import type {Attend} from './block.js';
import {cumulative} from './cumulative.js';
import type {Decoder} from './decoder.js';
import {maskOf} from './forward.js';
import {indices} from './input.js';
import {owned} from './parameters.js';

/** New tokens of each sequence in one forward pass. */
export interface Chunks {
  /** [sequences] 0 for a sequence that is not in the pass. */
  readonly tokens: readonly number[];
  /** [sequences] length of the bidirectional prefix; default 0. */
  readonly prefixes?: readonly number[];
}

/**
 * Room for the keys and values of sequences, each in rows of its own of one tensor per block. The room that a sequence has not filled
 * yet is a segment without queries, so attention never reads it.
 */
export class Cache {
  readonly #decoder: Decoder;

  /** [sequences + 1] first row of each sequence, then the number of rows. */
  readonly #starts: readonly number[];

  /** [sequences] tokens held. */
  readonly #lengths: number[];

  /** [layers] of [rows, kvHeads, headDim] each. */
  readonly #blocks: readonly {readonly keys: Tensor; readonly values: Tensor}[];

  /** @param capacities [sequences] tokens that each may come to hold */
  constructor(decoder: Decoder, capacities: readonly number[]) {
    const {shape, dtype, device} = decoder;
    this.#decoder = decoder;
    this.#starts = cumulative(capacities);
    this.#lengths = capacities.map(() => 0);
    const room = (): Tensor =>
      owned(() => zeros([this.#starts.at(-1) ?? 0, shape.kvHeads, shape.headDim], {dtype, device}));
    this.#blocks = Array.from({length: shape.layers}, () => ({keys: room(), values: room()}));
  }

  /** [sequences] tokens held. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /**
   * Attention for the forward pass that brings these tokens, packed in the order of the sequences: their keys and values are kept,
   * and they attend to all of their sequence. The innermost scope frees what it needs.
   */
  extend({tokens, prefixes}: Chunks): Attend {
    const before = [...this.#lengths];
    const {shape, device} = this.#decoder;
    for (const [sequence, count] of tokens.entries())
      this.#lengths[sequence] = (before[sequence] ?? 0) + count;
    // Two segments for each sequence: what it holds now, then its free rows.
    const segmentStarts = indices(cumulative(tokens.flatMap((count) => [count, 0])), device);
    const keyStarts = indices(
      cumulative(this.#lengths.flatMap((length, sequence) => [length, this.#capacity(sequence) - length])),
      device,
    );
    const prefixLengths =
      prefixes &&
      indices(
        prefixes.flatMap((length) => [length, 0]),
        device,
      );
    return (layer, q, k, v) => {
      const block = this.#blocks[layer - 1];
      if (block === undefined) throw new RangeError(`the cache has no block ${layer}`);
      this.#write(block.keys, k, {tokens, before});
      this.#write(block.values, v, {tokens, before});
      return attention(q, block.keys, block.values, {
        segmentStarts,
        keyStarts,
        ...maskOf(shape, layer),
        ...(prefixLengths && {prefixLengths}),
      });
    };
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

  #capacity(sequence: number): number {
    return (this.#starts[sequence + 1] ?? 0) - (this.#starts[sequence] ?? 0);
  }
}
