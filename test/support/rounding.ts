/** Rounding of numbers to the float dtypes, written apart from the native code it is compared with. */
import type {FloatDType} from '../../lib/tensor/index.js';

/** The identity, or rounding of each intermediate result to a dtype. */
export type Round = (value: number) => number;

/** No rounding: the reference in float64. */
export const exact: Round = (value) => value;

/** Rounding to nearest, ties to even. */
export const rounding: Readonly<Record<FloatDType, Round>> = {
  float32: Math.fround,
  bfloat16: (value) => roundTo(value, {bits: 8, leastExponent: -126, most: (2 - 2 ** -7) * 2 ** 127}),
  float16: (value) => roundTo(value, {bits: 11, leastExponent: -14, most: 65504}),
};

interface Format {
  /** Significant bits, the leading one included. */
  readonly bits: number;
  /** Exponent of the least normal number. */
  readonly leastExponent: number;
  readonly most: number;
}

function roundTo(value: number, {bits, leastExponent, most}: Format): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), leastExponent);
  const unit = 2 ** (exponent - bits + 1);
  const scaled = value / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const rounded = Math.abs(floor + (isUp ? 1 : 0)) * unit; // the sign is that of the value, also of a zero
  return Math.sign(value) * (rounded > most ? Infinity : rounded);
}
