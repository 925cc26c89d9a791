/** Long work on the weights of a model: how it is followed, and stopped. */
import {CrossmapError} from '../errors.js';
import type {SafetensorsInput} from '../formats/index.js';
import {bytesOf} from '../tensor/index.js';

/** Options of work on a model. */
export interface ModelWorkOptions {
  /** Called after each piece of the weights with the share that is written. */
  readonly onProgress?: (done: number) => void;
  /** Aborted, the work stops at the next piece, and nothing is left of it. */
  readonly signal?: AbortSignal;
}

/** Weights that come in pieces. */
export interface WeightInput extends Omit<SafetensorsInput, 'data'> {
  readonly data: () => AsyncIterable<Uint8Array>;
}

/** The same weights, watched. Their pieces throw ERR_ABORTED where the signal says so. */
export function watched(
  weights: readonly WeightInput[],
  {onProgress, signal}: ModelWorkOptions,
): WeightInput[] {
  const elements = weights.reduce((sum, {shape}) => sum + sizeOf(shape), 0);
  let done = 0;
  async function* watch(input: WeightInput): AsyncGenerator<Uint8Array, void, undefined> {
    const before = done;
    let bytes = 0;
    for await (const piece of input.data()) {
      if (signal?.aborted === true)
        throw new CrossmapError('ERR_ABORTED', 'the work was stopped by its signal');
      yield piece;
      bytes += piece.length;
      done = before + bytes / bytesOf(input.dtype);
      onProgress?.(done / elements);
    }
  }
  return weights.map((input) => ({...input, data: () => watch(input)}));
}

/** Elements of a tensor. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
