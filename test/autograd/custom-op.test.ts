/** Ops that users write on the level of tensors. */
import {
  backward,
  checkpoint,
  customOp,
  gradient,
  noGrad,
  requireGradient,
  requiresGradient,
} from '../../lib/autograd/index.js';
import {add, cast, exp, multiply, negate, scale, sigmoid, square, sum} from '../../lib/ops/index.js';
import {full, memory, scope, synchronize, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {gradientsMatch, onEachDevice} from '../support/ops.js';

const softplusGate = customOp({
  name: 'softplusGate',
  forward: (x: Tensor, gate: Tensor) => multiply(square(x), sigmoid(gate)),
  backward: ([dy], {inputs: [x, gate], outputs: [y]}) => [
    multiply(dy, multiply(scale(x, 2), sigmoid(gate))),
    multiply(dy, multiply(y, sigmoid(negate(gate)))),
  ],
});

onEachDevice(['float32'], 'a custom op has the gradients that its backward function gives', async (t, on) => {
  await gradientsMatch(t, on, {
    inputs: {
      x: {shape: [3, 5], values: normalNumbers(15, 1)},
      gate: {shape: [3, 5], values: normalNumbers(15, 2)},
    },
    op: (x, gate) => softplusGate(x, gate),
    reference: (x, gate) => x.map((value, index) => value ** 2 / (1 + Math.exp(-gate[index]!))),
  });
});

const sumAndDifference = customOp({
  name: 'sumAndDifference',
  forward: (a: Tensor, b: Tensor) => [add(a, b), add(a, negate(b))] as const,
  backward: ([dSum, dDifference]) => {
    if (dSum === undefined || dDifference === undefined) return [dSum ?? dDifference, dSum];
    return [add(dSum, dDifference), add(dSum, negate(dDifference))];
  },
  keeps: {inputs: false, outputs: false},
});

onEachDevice(
  ['float32'],
  'a custom op may have several outputs, of which some are not used',
  async (t, on) => {
    const a = requireGradient(tensor([1, 2], on));
    const b = requireGradient(tensor([3, 5], on));
    const [total, difference] = sumAndDifference(a, b);
    t.deepEqual([...(await total.floats())], [4, 7]);
    t.deepEqual([...(await difference.floats())], [-2, -3]);
    backward(add(scale(total, 10), difference), tensor([1, 1], on));
    t.deepEqual([...(await gradient(a)!.floats())], [11, 11]);
    t.deepEqual([...(await gradient(b)!.floats())], [9, 9]);
    const [alone] = sumAndDifference(a, b);
    backward(alone, tensor([1, 1], on));
    t.deepEqual([...(await gradient(b)!.floats())], [10, 10]);
  },
);

onEachDevice(
  ['float32'],
  'a gradient may be other than that of the ops inside: straight through a rounding',
  async (t, on) => {
    const rounded = customOp({
      name: 'straightThrough',
      forward: (x: Tensor) => cast(cast(x, 'int32'), 'float32'),
      backward: ([dy]) => [dy],
      keeps: {inputs: false, outputs: false},
    });
    const x = requireGradient(tensor([1.25, -2.75], on));
    const y = rounded(x);
    t.deepEqual([...(await y.floats())], [1, -2]);
    backward(y, tensor([3, 4], on));
    t.deepEqual([...(await gradient(x)!.floats())], [3, 4]);
  },
);

onEachDevice(['float32'], 'a custom op may give an input back', async (t, on) => {
  const reversed = customOp({
    name: 'reverseGradient',
    forward: (x: Tensor) => x,
    backward: ([dy]) => [negate(dy)],
    keeps: {inputs: false, outputs: false},
  });
  const x = requireGradient(tensor([1, 2], on));
  backward(sum(scope(() => reversed(x))));
  t.deepEqual([...(await x.floats())], [1, 2], 'x is not freed');
  t.deepEqual([...(await gradient(x)!.floats())], [-1, -1]);
});

onEachDevice(['float32'], 'undefined stands for an input without a gradient', async (t, on) => {
  const onlyFirst = customOp({
    name: 'onlyFirst',
    forward: (a: Tensor, b: Tensor) => multiply(a, b),
    backward: ([dy], {inputs: [, b]}) => [multiply(dy, b), undefined],
  });
  const a = requireGradient(tensor([1, 2], on));
  const b = requireGradient(tensor([3, 4], on));
  backward(sum(onlyFirst(a, b)));
  t.deepEqual([...(await gradient(a)!.floats())], [3, 4]);
  t.is(gradient(b), undefined);
});

onEachDevice(['float32'], 'a custom op works without recording and inside of a checkpoint', async (t, on) => {
  const x = requireGradient(tensor([0.5, 2], on));
  const gate = tensor([0, 0], on);
  t.false(requiresGradient(noGrad(() => softplusGate(x, gate))));
  backward(sum(checkpoint((input) => softplusGate(input, gate), x)));
  t.deepEqual([...(await gradient(x)!.floats())], [0.5, 2]);
});

onEachDevice(
  ['float32'],
  'a custom op keeps what it says it reads, and frees what it made besides',
  async (t, on) => {
    await synchronize(on.device);
    const x = requireGradient(full([1 << 14], 0.25, on));
    const chain = (keeps: {inputs: boolean; outputs: boolean}) =>
      customOp({
        name: 'chain',
        forward: (input: Tensor) => exp(exp(exp(input))),
        backward: ([dy]) => [dy],
        keeps,
      });
    const kept = (keeps: {inputs: boolean; outputs: boolean}): number => {
      const before = memory(on.device).allocatedBytes;
      const loss = scope(() => sum(chain(keeps)(x)));
      const held = Math.floor((memory(on.device).allocatedBytes - before) / x.bytes);
      backward(loss);
      return held;
    };
    t.is(kept({inputs: true, outputs: true}), 1, 'the output; the input is held by x as well');
    t.is(kept({inputs: true, outputs: false}), 0);
    t.is(kept({inputs: false, outputs: false}), 0);
  },
);

onEachDevice(['float32'], 'what a custom op does not keep cannot be read', (t, on) => {
  const forgetful = (list: 'inputs' | 'outputs') =>
    customOp({
      name: 'forgetful',
      forward: (x: Tensor) => exp(x),
      backward: ([dy], kept) => [multiply(dy, kept[list][0])],
      keeps: {inputs: false, outputs: false},
    });
  for (const list of ['inputs', 'outputs'] as const)
    t.throws(() => backward(forgetful(list)(requireGradient(tensor([1], on)))), {
      code: 'ERR_ARGUMENT',
      message: `forgetful: backward reads ${list}, which keeps.${list} says it does not`,
    });
});

onEachDevice(['float32'], 'the number of gradients must be that of the inputs', (t, on) => {
  const careless = customOp({
    name: 'careless',
    forward: (...inputs: Tensor[]) => inputs[0]!,
    backward: ([dy]) => [dy],
  });
  const y = careless(requireGradient(tensor([1], on)), tensor([2], on));
  t.throws(() => backward(y), {
    code: 'ERR_ARGUMENT',
    message: 'careless: backward must give a gradient or undefined for each of the 2 inputs; got 1',
  });
});

onEachDevice(['float32'], 'a gradient must have the shape of its input and be of floats', (t, on) => {
  const wrongly = (made: Tensor) =>
    customOp({
      name: 'wrongly',
      forward: (_: Tensor, y: Tensor) => y,
      backward: () => [undefined, made],
    });
  const inputs = (): [Tensor, Tensor] => [tensor([1], on), requireGradient(tensor([[1], [2]], on))];
  t.throws(() => backward(sum(wrongly(tensor([1, 2], on))(...inputs()))), {
    code: 'ERR_SHAPE',
    message: 'wrongly: the gradient of input 1 must be [2, 1] to match it; got [2]',
  });
  t.throws(
    () => backward(sum(wrongly(tensor([[1], [2]], {dtype: 'int32', device: on.device}))(...inputs()))),
    {
      code: 'ERR_DTYPE',
      message: 'wrongly: the gradient of input 1 must be float32, bfloat16 or float16; got int32',
    },
  );
});

onEachDevice(['float32'], 'an error of forward or backward comes out as it is', (t, on) => {
  const failing = customOp({
    name: 'failing',
    forward: (x: Tensor) => add(x, tensor([1, 2, 3], on)),
    backward: ([dy]) => [dy],
  });
  t.throws(() => failing(requireGradient(tensor([1, 2], on))), {
    code: 'ERR_SHAPE',
    message: /^add: b must be/,
  });
  const failingLater = customOp({
    name: 'failingLater',
    forward: (x: Tensor) => x,
    backward: () => {
      throw new RangeError('no gradient');
    },
  });
  const y = failingLater(requireGradient(tensor([1], on)));
  t.throws(() => backward(y), {instanceOf: RangeError});
});
