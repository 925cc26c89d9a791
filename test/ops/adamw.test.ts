/** AdamW against algorithm 2 of its paper in float64. */
import test from 'ava';
import fc from 'fast-check';
import {adamw, cast, clipScale, globalNorm, type AdamwOptions} from '../../lib/ops/index.js';
import {setThreads, tensor, zeros, type Device, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {rounding} from '../support/rounding.js';

const settings = {learningRate: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8};

/** Weights after steps 1, 2, ... with the gradients. */
function reference(
  weights: readonly number[],
  gradients: readonly (readonly number[])[],
  weightDecay: number,
): number[] {
  const {learningRate, beta1, beta2, eps} = settings;
  return weights.map((start, index) => {
    let [w, m, v] = [start, 0, 0];
    for (const [at, gradient] of gradients.entries()) {
      const g = gradient[index]!;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const mHat = m / (1 - beta1 ** (at + 1));
      const vHat = v / (1 - beta2 ** (at + 1));
      w -= learningRate * (mHat / (Math.sqrt(vHat) + eps) + weightDecay * w);
    }
    return w;
  });
}

/** State of parameters that are all float32. */
function stateOf(weights: readonly (readonly number[])[], device?: Device) {
  const on = {device: device ?? 'cpu'};
  const parameters = weights.map((each) => tensor([...each], {shape: [each.length], ...on}));
  const moments = (): Tensor[] => weights.map((each) => zeros([each.length], on));
  return {parameters, firstMoments: moments(), secondMoments: moments()};
}

// All vector widths (4, 8, 16) less one, exactly, plus one; one range of a thread (2^14) or block (2^13) and one element more; none.
const sizes = [1, 3, 4, 5, 15, 16, 17, 0, 2 ** 13 + 1, 2 ** 14, 2 ** 14 + 1];

onEachDevice(['float32'], 'adamw of many tensors follows the algorithm over steps', async (t, {device}) => {
  const weights = sizes.map((size, index) => normalNumbers(size, index + 1).map(Math.fround));
  const decays = sizes.map((_, index) => (index % 2 === 0 ? 0.1 : 0));
  const gradients = [1, 2, 3].map((step) =>
    sizes.map((size, index) => normalNumbers(size, 31 * step + index, 0.1)),
  );
  const state = stateOf(weights, device);
  for (const [at, each] of gradients.entries())
    adamw({
      ...state,
      ...settings,
      gradients: each.map((values) => tensor(values, {shape: [values.length], device})),
      weightDecays: decays,
      step: at + 1,
    });
  for (const [index, parameter] of state.parameters.entries()) {
    const wanted = reference(
      weights[index]!,
      gradients.map((each) => each[index]!),
      decays[index]!,
    );
    // A step is at most the learning rate, and its float32 factors are off by a few 2^-24 of it; weights of up to 4 round by 2^-22.
    closeTo(t, await parameter.floats(), wanted, 2 ** -20);
  }
});

onEachDevice(
  ['bfloat16', 'float16'],
  'a parameter is its float32 master, rounded',
  async (t, {device, dtype}) => {
    const start = normalNumbers(37, 1).map(Math.fround);
    const {parameters: masters, ...moments} = stateOf([start], device);
    const parameters = [cast(masters[0]!, dtype)];
    const gradients = [1, 2, 3].map((step) => normalNumbers(37, step));
    for (const [at, values] of gradients.entries())
      adamw({
        parameters,
        masters,
        ...moments,
        ...settings,
        gradients: [tensor(values, {device})],
        weightDecays: [0.1],
        step: at + 1,
      });
    const master = [...(await masters[0]!.floats())];
    closeTo(t, master, reference(start, gradients, 0.1), 2 ** -20);
    t.deepEqual([...(await parameters[0]!.floats())], master.map(rounding[dtype]));
  },
);

onEachDevice(
  ['bfloat16'],
  'steps too small for the dtype are kept by the master',
  async (t, {device, dtype}) => {
    const on = {device};
    const parameter = tensor([256], {dtype, device});
    const master = tensor([256], on);
    const moments = {firstMoments: [zeros([1], on)], secondMoments: [zeros([1], on)]};
    for (let step = 1; step <= 200; step++)
      adamw({
        parameters: [parameter],
        masters: [master],
        gradients: [tensor([1], on)],
        ...moments,
        ...settings,
        weightDecays: [0],
        step,
      });
    t.true(Math.abs((await master.item()) - 254) < 1e-2);
    t.is(await parameter.item(), 254);
  },
);

onEachDevice(['bfloat16', 'float16'], 'parameters with and without a master go together', async (t, on) => {
  const {device} = on;
  const parameters = [tensor([1, 2], {device}), tensor([1, 2], on)];
  const masters = [undefined, tensor([1, 2], {device})];
  const each = (): Tensor[] => [zeros([2], {device}), zeros([2], {device})];
  adamw({
    parameters,
    masters,
    gradients: [tensor([1, -1], {device}), tensor([1, -1], {device})],
    firstMoments: each(),
    secondMoments: each(),
    ...settings,
    weightDecays: [0, 0],
    step: 1,
  });
  t.deepEqual(await masters[1]!.floats(), await parameters[0]!.floats());
  closeTo(t, await parameters[0]!.floats(), [0.99, 2.01], 1e-6);
});

onEachDevice(['float32'], 'more parameters than one launch takes are all updated', async (t, {device}) => {
  // 48 fit into the arguments of a kernel.
  for (const count of [48, 49, 100]) {
    const weights = Array.from({length: count}, (_, index) => [index, 1]);
    const state = stateOf(weights, device);
    const gradients = weights.map(() => tensor([1, -1], {device}));
    adamw({...state, ...settings, gradients, weightDecays: weights.map(() => 0), step: 1});
    for (const [index, parameter] of state.parameters.entries())
      closeTo(t, await parameter.floats(), [index - 0.01, 1.01], 2 ** -18);
  }
});

onEachDevice(
  ['float32'],
  'the gradient scale multiplies all gradients, as clipping has it',
  async (t, on) => {
    const {device} = on;
    const gradients = [tensor([3, 4], on), tensor([12], on)];
    const clipped = stateOf([[1, 2], [3]], device);
    adamw({
      ...clipped,
      ...settings,
      gradients,
      weightDecays: [0.1, 0.1],
      step: 1,
      gradientScale: clipScale(globalNorm(gradients), 1.3),
    });
    const scaled = stateOf([[1, 2], [3]], device);
    adamw({
      ...scaled,
      ...settings,
      gradients: [tensor([0.3, 0.4], on), tensor([1.2], on)],
      weightDecays: [0.1, 0.1],
      step: 1,
    });
    for (const [index, moment] of clipped.secondMoments.entries())
      closeTo(t, await moment.floats(), await scaled.secondMoments[index]!.floats(), 1e-7);
  },
);

onEachDevice(['float32'], 'a scale that is not finite leaves everything as it was', async (t, on) => {
  for (const scale of [NaN, Infinity, -Infinity]) {
    const state = stateOf([[1, 2], [3]], on.device);
    const gradients = [tensor([NaN, 4], on), tensor([12], on)];
    adamw({
      ...state,
      ...settings,
      gradients,
      weightDecays: [0.1, 0.1],
      step: 1,
      gradientScale: tensor(scale, on),
    });
    t.deepEqual([...(await state.parameters[0]!.floats())], [1, 2]);
    t.deepEqual([...(await state.firstMoments[1]!.floats())], [0]);
  }
});

onEachDevice(['float32'], 'a gradient that is not finite spoils its own elements alone', async (t, on) => {
  const state = stateOf([[1, 2, 3]], on.device);
  adamw({...state, ...settings, gradients: [tensor([1, NaN, 1], on)], weightDecays: [0], step: 1});
  const weights = await state.parameters[0]!.floats();
  t.deepEqual(Array.from(weights, Number.isNaN), [false, true, false]);
});

onEachDevice(
  ['float32'],
  'a weight decay without a gradient shrinks weights by learningRate times it',
  async (t, on) => {
    const state = stateOf([[1, -2]], on.device);
    adamw({...state, ...settings, gradients: [zeros([2], on)], weightDecays: [0.5], step: 1});
    closeTo(t, await state.parameters[0]!.floats(), [0.995, -1.99], 1e-7);
  },
);

test('the first step is the learning rate against the sign, whatever the size of the gradient', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({min: 1e-3, max: 1e6, noNaN: true}), {minLength: 1, maxLength: 40}),
      async (sizes) => {
        const state = stateOf([sizes.map(() => 0)]);
        const gradients = [tensor(sizes.map((size, index) => (index % 2 ? size : -size)))];
        adamw({...state, ...settings, gradients, weightDecays: [0], step: 1});
        const weights = await state.parameters[0]!.floats();
        return weights.every((w, index) => Math.abs(w - (index % 2 ? -0.01 : 0.01)) < 1e-6);
      },
    ),
    {seed: 1, numRuns: 50},
  );
  t.pass();
});

test('no parameters are legal', (t) => {
  t.notThrows(() =>
    adamw({
      parameters: [],
      gradients: [],
      firstMoments: [],
      secondMoments: [],
      weightDecays: [],
      ...settings,
      step: 1,
    }),
  );
});

test.serial('the number of threads does not change a bit', async (t) => {
  const run = async (threads: number): Promise<Float32Array[]> => {
    setThreads(threads);
    const shapes = [5, 2 ** 15 + 3, 100, 2 ** 14];
    const state = stateOf(shapes.map((size, index) => normalNumbers(size, index)));
    for (const step of [1, 2]) {
      const gradients = shapes.map((size, index) => tensor(normalNumbers(size, index + 10 * step)));
      const gradientScale = clipScale(globalNorm(gradients), 1);
      adamw({...state, ...settings, gradients, weightDecays: shapes.map(() => 0.1), step, gradientScale});
    }
    return Promise.all(state.parameters.map((each) => each.floats()));
  };
  const one = await run(1);
  t.deepEqual(await run(3), one);
  t.deepEqual(await run(2), one);
});

test('adamw says which argument does not fit', (t) => {
  const good = (): AdamwOptions => ({
    ...stateOf([[1, 2], [3]]),
    ...settings,
    gradients: [zeros([2]), zeros([1])],
    weightDecays: [0, 0],
    step: 1,
  });
  const half = cast(tensor([1, 2]), 'bfloat16');
  const twice = tensor([1, 2]);
  const cases: readonly (readonly [Partial<AdamwOptions>, string, string])[] = [
    [{gradients: [zeros([2])]}, 'ERR_ARGUMENT', 'gradients must be one for each of the 2 parameters; got 1'],
    [{firstMoments: []}, 'ERR_ARGUMENT', 'firstMoments must be one for each of the 2 parameters; got 0'],
    [{secondMoments: []}, 'ERR_ARGUMENT', 'secondMoments must be one for each of the 2 parameters; got 0'],
    [{weightDecays: [0]}, 'ERR_ARGUMENT', 'weightDecays must be one for each of the 2 parameters; got 1'],
    [{masters: [undefined]}, 'ERR_ARGUMENT', 'masters must be one for each of the 2 parameters; got 1'],
    [{learningRate: -1}, 'ERR_ARGUMENT', 'learningRate must be a number, 0 or more; got -1'],
    [{eps: 0}, 'ERR_ARGUMENT', 'eps must be a number above 0; got 0'],
    [{beta1: 1}, 'ERR_ARGUMENT', 'beta1 must be a number from 0 to 1, 1 left out; got 1'],
    [{beta2: NaN}, 'ERR_ARGUMENT', 'beta2 must be a number from 0 to 1, 1 left out; got NaN'],
    [{step: 0}, 'ERR_ARGUMENT', 'step must be 1 or more; got 0'],
    [{weightDecays: [0, -1]}, 'ERR_ARGUMENT', 'weightDecays[1] must be a number, 0 or more; got -1'],
    [
      {gradients: [zeros([2]), zeros([2])]},
      'ERR_SHAPE',
      'gradients[1] must be [1] to match parameters[1] [1]; got [2]',
    ],
    [{gradients: [half, zeros([1])]}, 'ERR_DTYPE', 'gradients[0] must be float32; got bfloat16'],
    [{firstMoments: [half, zeros([1])]}, 'ERR_DTYPE', 'firstMoments[0] must be float32; got bfloat16'],
    [
      {secondMoments: [zeros([3]), zeros([1])]},
      'ERR_SHAPE',
      'secondMoments[0] must be [2] to match parameters[0] [2]; got [3]',
    ],
    [
      {parameters: [half, zeros([1])]},
      'ERR_ARGUMENT',
      'masters[0] must be given for a parameter of bfloat16; got undefined',
    ],
    [
      {masters: [zeros([2]), undefined]},
      'ERR_ARGUMENT',
      'masters[0] must be undefined for a parameter of float32; got a tensor',
    ],
    [
      {parameters: [half, zeros([1])], masters: [half, undefined]},
      'ERR_DTYPE',
      'masters[0] must be float32; got bfloat16',
    ],
    [
      {parameters: [cast(half, 'int32'), zeros([1])]},
      'ERR_DTYPE',
      'parameters[0] must be float32, bfloat16 or float16; got int32',
    ],
    [{gradientScale: zeros([1])}, 'ERR_SHAPE', 'gradientScale must be []; got [1]'],
    [
      {gradientScale: zeros([], {dtype: 'bfloat16'})},
      'ERR_DTYPE',
      'gradientScale must be float32; got bfloat16',
    ],
    [
      {
        parameters: [twice, twice],
        gradients: [zeros([2]), zeros([2])],
        firstMoments: [zeros([2]), zeros([2])],
        secondMoments: [zeros([2]), zeros([2])],
      },
      'ERR_ARGUMENT',
      'parameters[1] must be a parameter that is not in the list before; got it twice',
    ],
  ];
  for (const [change, code, message] of cases)
    t.throws(() => adamw({...good(), ...change}), {code, message: `adamw: ${message}`});
});

test('a refused step changes nothing', async (t) => {
  const state = stateOf([[1, 2], [3]]);
  const gradients = [tensor([1, 1]), zeros([2])];
  t.throws(() => adamw({...state, ...settings, gradients, weightDecays: [0, 0], step: 1}), {
    code: 'ERR_SHAPE',
  });
  t.deepEqual([...(await state.parameters[0]!.floats())], [1, 2]);
  t.deepEqual([...(await state.firstMoments[0]!.floats())], [0, 0]);
});
