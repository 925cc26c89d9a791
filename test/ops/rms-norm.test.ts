/** rmsNorm and rmsNormResidual against the equations in float64. */
import {rmsNorm, rmsNormResidual} from '../../lib/ops/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {asGoodAsPlain, floatDTypes, gradientsMatch, onEachDevice, representable} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

/** The equation in float64; `round` is the identity, or rounding to a dtype. */
function reference(x: readonly number[], weight: readonly number[], round: Round, eps = 1e-5): number[] {
  const features = weight.length;
  return x.map((value, index) => {
    const start = index - (index % features);
    const row = x.slice(start, start + features);
    const meanSquare = row.reduce((sum, v) => sum + v * v, 0) / features;
    const rstd = round(1 / Math.sqrt(meanSquare + eps));
    return round(round(value * rstd) * weight[index % features]!);
  });
}

// One feature; the widths of all vectors (4, 8, 16) less one, exactly and plus one; four vectors side by side (64) and one more.
const featureSizes = [1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 127, 128, 129];

for (const features of featureSizes)
  onEachDevice(floatDTypes, `rmsNorm [3, ${features}]`, async (t, {device, dtype}) => {
    const x = representable(normalNumbers(3 * features, 1), dtype);
    const weight = representable(normalNumbers(features, 2), dtype);
    const y = rmsNorm(tensor(x, {shape: [3, features], device, dtype}), tensor(weight, {device, dtype}));
    await asGoodAsPlain(t, y, (round) => reference(x, weight, round));
  });

onEachDevice(floatDTypes, 'rmsNorm has the gradients of its equation', async (t, on) => {
  await gradientsMatch(t, on, {
    inputs: {
      x: {shape: [5, 37], values: normalNumbers(5 * 37, 3)},
      weight: {shape: [37], values: normalNumbers(37, 4)},
    },
    op: (x, weight) => rmsNorm(x!, weight!),
    reference: (x, weight) => reference(x!, weight!, exact),
  });
});

onEachDevice(floatDTypes, 'rmsNormResidual y has the gradients of its equation', async (t, on) => {
  await gradientsMatch(t, on, {
    inputs: {
      x: {shape: [5, 37], values: normalNumbers(5 * 37, 3)},
      residual: {shape: [5, 37], values: normalNumbers(5 * 37, 5)},
      weight: {shape: [37], values: normalNumbers(37, 4)},
    },
    op: (x, residual, weight) => rmsNormResidual(x!, residual!, weight!).y,
    reference: (x, residual, weight) =>
      reference(
        x!.map((v, i) => v + residual![i]!),
        weight!,
        exact,
      ),
  });
});
