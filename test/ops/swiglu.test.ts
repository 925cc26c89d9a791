/** swiglu against the equation in float64. */
import {swiglu} from '../../lib/ops/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {asGoodAsPlain, floatDTypes, gradientsMatch, onEachDevice, representable} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

/** The equation in float64. */
function reference(gate: readonly number[], up: readonly number[], round: Round): number[] {
  return gate.map((g, index) => round(round(g * round(1 / (1 + Math.exp(-g)))) * up[index]!));
}

// The widths of all vectors (4, 8, 16) less one, exactly and plus one; one range of a thread (2^14) and one element more.
for (const size of [1, 3, 4, 5, 15, 16, 17, 127, 128, 129, 2 ** 14, 2 ** 14 + 1])
  onEachDevice(floatDTypes, `swiglu [1, ${size}]`, async (t, {device, dtype}) => {
    const gate = representable(normalNumbers(size, 1, 3), dtype);
    const up = representable(normalNumbers(size, 2), dtype);
    const y = swiglu(
      tensor(gate, {shape: [1, size], device, dtype}),
      tensor(up, {shape: [1, size], device, dtype}),
    );
    await asGoodAsPlain(t, y, (round) => reference(gate, up, round));
  });

onEachDevice(floatDTypes, 'swiglu has the gradients of its equation', async (t, on) => {
  await gradientsMatch(t, on, {
    inputs: {
      gate: {shape: [3, 37], values: normalNumbers(111, 3, 2)},
      up: {shape: [3, 37], values: normalNumbers(111, 4)},
    },
    op: (gate, up) => swiglu(gate!, up!),
    reference: (gate, up) => reference(gate!, up!, exact),
  });
});
