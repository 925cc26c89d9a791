/** Results of two programs compared without sending them: each tells two numbers of each tensor. */
import {randomValues} from '../../lib/bench/random-values.js';

/**
 * The norm of a tensor, and its product with random numbers of variance 1, which is about as large. An element that is wrong or in a
 * wrong place changes the product by about its error.
 */
export type Probe = readonly [norm: number, product: number];

/** Probes by the name of the result. */
export type Probes = Readonly<Record<string, Probe>>;

const seed = 977;

export function probeOf(values: Float32Array): Probe {
  const numbers = randomValues(values.length, {seed});
  let [square, product] = [0, 0];
  for (const [index, value] of values.entries()) {
    square += value * value;
    product += value * (numbers[index] ?? NaN);
  }
  return [Math.sqrt(square), product];
}

/** The largest difference of any probe, as a share of the norm; infinite where a result is missing or no number. */
export function differenceOf(ours: Probes, theirs: Probes): number {
  const differences = Object.entries(ours).flatMap(([name, [norm, product]]) => {
    const [otherNorm, otherProduct] = theirs[name] ?? [NaN, NaN];
    return [Math.abs(otherNorm - norm) / norm, Math.abs(otherProduct - product) / norm];
  });
  if (differences.length === 0 || differences.some((each) => !Number.isFinite(each))) return Infinity;
  return Math.max(...differences);
}
