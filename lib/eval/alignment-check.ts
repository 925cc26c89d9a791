/** The rules that vectors of parallel sentences must meet before they are measured. */
import {CrossmapError} from '../errors.js';
import type {LayerVectors, PrepareOptions, TokenCounts} from './alignment-prepare.js';
import type {Floats} from './matrix.js';

/** Fewer sentence pairs than this say nothing: measuring them is an error. */
export const minimumPairs = 8;

/**
 * Number of sentences of the vectors, after checking that everything fits.
 *
 * @param where what the messages start with
 * @throws ERR_ARGUMENT
 */
export function checkVectors(
  layers: readonly LayerVectors[],
  {features, counts}: PrepareOptions,
  where: string,
): number {
  if (!Number.isSafeInteger(features) || features < 1)
    fail(where, `features must be a whole number >= 1; got ${features}`);
  const n = (layers[0]?.x.length ?? 0) / features;
  layers.forEach(({x, y}, layer) => {
    const name = `hidden state ${layer}`;
    for (const [side, values] of [
      ['x', x],
      ['y', y],
    ] as const)
      if (values.length !== n * features || !Number.isInteger(n))
        fail(where, `${name}: ${side} must hold ${expected(n, features)} values; got ${values.length}`);
    checkFinite(x, features, `${where}: ${name}: x`);
    checkFinite(y, features, `${where}: ${name}: y`);
  });
  checkPairs(n, where);
  if (counts !== undefined) checkCounts(counts, n, where);
  return n;
}

/** @throws ERR_ARGUMENT */
export function checkPairs(n: number, where: string): void {
  if (n < minimumPairs) fail(where, `at least ${minimumPairs} distinct sentence pairs are needed; got ${n}`);
}

function expected(n: number, features: number): string {
  return Number.isInteger(n)
    ? `[${n}, ${features}] = ${n * features}`
    : `a multiple of ${features} (features)`;
}

function checkFinite(values: Floats, features: number, what: string): void {
  for (let k = 0; k < values.length; k++)
    if (!Number.isFinite(values[k]))
      throw new CrossmapError(
        'ERR_ARGUMENT',
        `${what} must be finite; sentence ${Math.floor(k / features)} has ${values[k]} at feature ${k % features}`,
      );
}

function checkCounts(counts: TokenCounts, n: number, where: string): void {
  for (const side of ['x', 'y'] as const) {
    const tokens = counts[side];
    if (tokens.length !== n)
      fail(where, `counts.${side} must be [${n}], one per sentence; got [${tokens.length}]`);
    for (let i = 0; i < n; i++)
      if (!((tokens[i] ?? 0) >= 1 && Number.isFinite(tokens[i])))
        fail(where, `counts.${side} must be token counts >= 1; sentence ${i} has ${tokens[i]}`);
  }
}

export function fail(where: string, message: string): never {
  throw new CrossmapError('ERR_ARGUMENT', `${where}: ${message}`);
}
