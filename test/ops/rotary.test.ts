/** rotary against the rotation in float64. */
import {rotary} from '../../lib/ops/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {asGoodAsPlain, floatDTypes, gradientsMatch, onEachDevice, representable} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

interface Case {
  readonly positions: readonly number[];
  readonly frequencies: readonly number[];
  readonly heads: number;
  readonly scale?: number;
}

/** The equation in float64, from angles in float32. */
function reference(
  x: readonly number[],
  {positions, frequencies, heads, scale = 1}: Case,
  round: Round,
): number[] {
  const half = frequencies.length;
  const headDim = 2 * half;
  return x.map((value, index) => {
    const feature = index % headDim;
    const isFirst = feature < half;
    const d = feature % half;
    const token = Math.floor(index / (heads * headDim));
    const angle = Math.fround(Math.fround(positions[token]!) * frequencies[d]!);
    const partner = x[isFirst ? index + half : index - half]!;
    const cosine = round(scale * Math.cos(angle));
    const sine = round(scale * Math.sin(angle)) * (isFirst ? -1 : 1);
    return round(round(value * cosine) + round(partner * sine));
  });
}

/** Llama's frequencies. */
function llamaFrequencies(headDim: number, theta = 10_000): number[] {
  return Array.from({length: headDim / 2}, (_, d) => Math.fround(theta ** (-(2 * d) / headDim)));
}

for (const headDim of [2, 6, 8, 16, 30, 32, 34, 64, 128])
  onEachDevice(floatDTypes, `rotary headDim ${headDim}`, async (t, {device, dtype}) => {
    const heads = 3;
    const positions = [0, 1, 2, 777, 0];
    const frequencies = llamaFrequencies(headDim);
    const x = representable(normalNumbers(5 * heads * headDim), dtype);
    const y = rotary(
      tensor(x, {shape: [5, heads, headDim], device, dtype}),
      tensor(positions, {device, dtype: 'int32'}),
      tensor(frequencies, {device}),
    );
    await asGoodAsPlain(t, y, (round) => reference(x, {positions, frequencies, heads}, round));
  });

onEachDevice(floatDTypes, 'rotary has the gradient of its equation', async (t, on) => {
  const positions = [3, 0, 12];
  const frequencies = llamaFrequencies(12);
  await gradientsMatch(t, on, {
    inputs: {x: {shape: [3, 2, 12], values: normalNumbers(72)}},
    op: (x) =>
      rotary(
        x!,
        tensor(positions, {device: on.device, dtype: 'int32'}),
        tensor(frequencies, {device: on.device}),
        {scale: 1.25},
      ),
    reference: (x) => reference(x!, {positions, frequencies, heads: 2, scale: 1.25}, exact),
  });
});
