/** Activation checkpointing: the same numbers with less memory. */
import test from 'ava';
import {
  backward,
  checkpoint,
  gradient,
  noGrad,
  requireGradient,
  requiresGradient,
} from '../../lib/autograd/index.js';
import {add, exp, multiply, scale, sigmoid, silu, square, sum, tanh} from '../../lib/ops/index.js';
import {
  full,
  memory,
  resetPeakMemory,
  scope,
  synchronize,
  tensor,
  type Tensor,
} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {floatDTypes, onEachDevice} from '../support/ops.js';

// x meets itself three times inside, so that gradients are summed there.
const block = (x: Tensor, weight: Tensor): Tensor =>
  add(x, add(multiply(silu(x), sigmoid(x)), multiply(tanh(x), weight)));

onEachDevice(
  floatDTypes,
  'checkpoint gives the result and the gradients of its work to the bit',
  async (t, on) => {
    const run = async (inner: (x: Tensor, weight: Tensor) => Tensor): Promise<Float32Array[]> => {
      const x = requireGradient(tensor(normalNumbers(4 * 33, 1), {shape: [4, 33], ...on}));
      const weight = requireGradient(tensor(normalNumbers(33, 2), on));
      const y = inner(inner(x, weight), weight);
      backward(y, tensor(normalNumbers(4 * 33, 3), {shape: [4, 33], ...on}));
      return Promise.all([y.floats(), gradient(x)!.floats(), gradient(weight)!.floats()]);
    };
    t.deepEqual(await run((x, weight) => checkpoint(block, x, weight)), await run(block));
  },
);

test('a weight that the work reads from outside has its gradient', async (t) => {
  const x = requireGradient(tensor([1, 2]));
  const weight = requireGradient(tensor([3, 4]));
  backward(sum(checkpoint((input) => multiply(input, weight), x)));
  t.deepEqual([...(await gradient(x)!.floats())], [3, 4]);
  t.deepEqual([...(await gradient(weight)!.floats())], [1, 2]);
});

test('inputs of integers, and inputs that want no gradient, have none', async (t) => {
  const x = requireGradient(tensor([1, 2]));
  const y = tensor([3, 4]);
  const places = tensor([0, 1], {dtype: 'int32'});
  const result = checkpoint(
    (a, b, c) => {
      t.is(c.dtype, 'int32');
      return multiply(a, b);
    },
    x,
    y,
    places,
  );
  backward(sum(result));
  t.deepEqual([...(await gradient(x)!.floats())], [3, 4]);
  t.is(gradient(y), undefined);
});

test('checkpoints may stand inside of each other', async (t) => {
  const x = requireGradient(tensor([1, 2]));
  const inner = (a: Tensor): Tensor => checkpoint((b) => square(square(b)), a);
  backward(sum(checkpoint((a) => scale(inner(a), 2), x)));
  t.deepEqual([...(await gradient(x)!.floats())], [8, 64]);
});

test('work whose result does not depend on its inputs has no gradient', (t) => {
  const x = requireGradient(tensor([1, 2]));
  const y = checkpoint(() => full([2], 3), x);
  backward(sum(y));
  t.is(gradient(x), undefined);
});

test('without recording, checkpoint only works', (t) => {
  const x = requireGradient(tensor([1, 2]));
  t.false(requiresGradient(noGrad(() => checkpoint(square, x))));
});

test('checkpoint keeps less memory, and its backward pass needs that of one block at a time', async (t) => {
  const blocks = 8;
  const wide = (x: Tensor): Tensor => scale(exp(tanh(sigmoid(silu(x)))), 0.5);
  const run = async (inner: (x: Tensor) => Tensor): Promise<{kept: number; peak: number}> => {
    await synchronize();
    const x = requireGradient(full([1 << 14], 0.5));
    const before = memory().allocatedBytes;
    resetPeakMemory();
    const loss = scope(() => {
      let stream = x;
      for (let block = 0; block < blocks; block++) stream = inner(stream);
      return sum(stream);
    });
    const kept = (memory().allocatedBytes - before) / x.bytes;
    backward(loss);
    return {kept, peak: (memory().peakBytes - before) / x.bytes};
  };
  const plain = await run(wide);
  const checkpointed = await run((x) => checkpoint(wide, x));
  t.true(plain.kept > 3 * blocks, `${plain.kept} tensors are kept, four a block`);
  t.true(checkpointed.kept < blocks + 1, `${checkpointed.kept} tensors are kept, one a block`);
  t.true(checkpointed.peak < blocks + 8, `${checkpointed.peak} tensors at most`);
});
