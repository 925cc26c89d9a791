/** swiglu against the equation in float64. */
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {swiglu} from '../../lib/ops/index.js';
import {tensor, zeros} from '../../lib/tensor/index.js';
import {sameOnAnyThreads} from '../support/determinism.js';
import {normalNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

/** The equation in float64. */
function reference(gate: readonly number[], up: readonly number[], round: Round): number[] {
  return gate.map((g, index) => round(round(g * round(1 / (1 + Math.exp(-g)))) * up[index]!));
}

// The widths of all vectors (4, 8, 16) less one, exactly and plus one; a range of a thread (2^14) and one element more.
for (const size of [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 127, 128, 129, 2 ** 14, 2 ** 14 + 1])
  onEachDevice(floatDTypes, `swiglu [1, ${size}]`, async (t, {device, dtype}) => {
    const gate = representable(normalNumbers(size, 1, 3), dtype);
    const up = representable(normalNumbers(size, 2), dtype);
    const options = {shape: [1, size], device, dtype};
    await asGoodAsPlain(t, swiglu(tensor(gate, options), tensor(up, options)), (round) =>
      reference(gate, up, round),
    );
  });

onEachDevice(floatDTypes, 'swiglu has the gradients of its equation', async (t, on) => {
  await gradientsMatch(t, on, {
    inputs: {
      gate: {shape: [3, 37], values: normalNumbers(111, 3, 2)},
      up: {shape: [3, 37], values: normalNumbers(111, 4)},
    },
    op: (...inputs) => swiglu(inputs[0]!, inputs[1]!),
    reference: (...inputs) => reference(inputs[0]!, inputs[1]!, exact),
  });
});

onEachDevice(['float32'], 'swiglu of any numbers is that of the equation', async (t, {device}) => {
  const number = fc.float({min: -80, max: 80, noNaN: true});
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(number, number), {minLength: 1, maxLength: 50}), async (pairs) => {
      const gate = pairs.map(([each]) => each);
      const up = pairs.map(([, each]) => each);
      const y = swiglu(tensor(gate, {device}), tensor(up, {device}));
      await asGoodAsPlain(t, y, (round) => reference(gate, up, round));
    }),
    {seed: 1, numRuns: 60},
  );
});

// float16 reaches 65504.
const extremes = [-6e4, -1e3, -100, 100, 1e3, 6e4];

onEachDevice(
  floatDTypes,
  'swiglu and its gradients are finite where the gate is large',
  async (t, {device, dtype}) => {
    const values = representable(extremes, dtype);
    const gate = requireGradient(tensor(values, {device, dtype}));
    const up = requireGradient(
      tensor(
        values.map(() => 1),
        {device, dtype},
      ),
    );
    const y = swiglu(gate, up);
    backward(
      y,
      tensor(
        values.map(() => 1),
        {device, dtype},
      ),
    );
    const opened = values.map((each) => Math.max(each, 0));
    closeTo(t, await y.floats(), opened, 0);
    closeTo(t, await gradient(up)!.floats(), opened, 0);
    closeTo(
      t,
      await gradient(gate)!.floats(),
      values.map((each) => (each > 0 ? 1 : 0)),
      0,
    );
  },
);

onEachDevice(
  floatDTypes,
  'swiglu and its gradients are the same on any number of threads',
  async (t, {device, dtype}) => {
    const values = normalNumbers(40_001);
    await sameOnAnyThreads(t, () => {
      const gate = requireGradient(tensor(values, {device, dtype}));
      const up = requireGradient(tensor(values, {device, dtype}));
      const y = swiglu(gate, up);
      backward(y, y);
      return [y, gradient(gate)!, gradient(up)!];
    });
  },
);

onEachDevice(floatDTypes, 'swiglu takes any shape, also an empty one', (t, {device, dtype}) => {
  for (const shape of [[0, 5], [2, 3, 4], []]) {
    const x = requireGradient(zeros(shape, {device, dtype}));
    const y = swiglu(x, x);
    backward(y, zeros(shape, {device, dtype}));
    t.deepEqual(y.shape, shape);
    t.deepEqual(gradient(x)!.shape, shape);
  }
});

onEachDevice(['float32'], 'swiglu names the argument and what it must match', (t, {device}) => {
  const gate = zeros([2, 3], {device});
  t.throws(() => swiglu(zeros([2, 3], {device, dtype: 'uint8'}), gate), {
    code: 'ERR_DTYPE',
    message: 'swiglu: gate must be float32, bfloat16 or float16; got uint8',
  });
  t.throws(() => swiglu(gate, zeros([3, 2], {device})), {
    code: 'ERR_SHAPE',
    message: 'swiglu: up must be [2, 3] to match gate [2, 3]; got [3, 2]',
  });
  t.throws(() => swiglu(gate, zeros([2, 3], {device, dtype: 'bfloat16'})), {
    code: 'ERR_DTYPE',
    message: 'swiglu: up must be float32 to match gate; got bfloat16',
  });
});
