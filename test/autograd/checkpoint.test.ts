/** Activation checkpointing: the same numbers with less memory. */
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

onEachDevice(['float32'], 'a weight that the work reads from outside has its gradient', async (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const weight = requireGradient(tensor([3, 4], on));
  backward(sum(checkpoint((input) => multiply(input, weight), x)));
  t.deepEqual([...(await gradient(x)!.floats())], [3, 4]);
  t.deepEqual([...(await gradient(weight)!.floats())], [1, 2]);
});

onEachDevice(
  ['float32'],
  'inputs of integers, and inputs that want no gradient, have none',
  async (t, on) => {
    const x = requireGradient(tensor([1, 2], on));
    const y = tensor([3, 4], on);
    const places = tensor([0, 1], {dtype: 'int32', device: on.device});
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
  },
);

onEachDevice(['float32'], 'checkpoints may stand inside of each other', async (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const inner = (a: Tensor): Tensor => checkpoint((b) => square(square(b)), a);
  backward(sum(checkpoint((a) => scale(inner(a), 2), x)));
  t.deepEqual([...(await gradient(x)!.floats())], [8, 64]);
});

onEachDevice(['float32'], 'work whose result does not depend on its inputs has no gradient', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const y = checkpoint(() => full([2], 3, on), x);
  backward(sum(y));
  t.is(gradient(x), undefined);
});

onEachDevice(['float32'], 'without recording, checkpoint only works', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  t.false(requiresGradient(noGrad(() => checkpoint(square, x))));
});

onEachDevice(
  ['float32'],
  'checkpoint keeps less memory, and its backward pass needs that of one block at a time',
  async (t, on) => {
    const blocks = 8;
    const wide = (x: Tensor): Tensor => scale(exp(tanh(sigmoid(silu(x)))), 0.5);
    const run = async (inner: (x: Tensor) => Tensor): Promise<{kept: number; peak: number}> => {
      await synchronize(on.device);
      const x = requireGradient(full([1 << 14], 0.5, on));
      const before = memory(on.device).allocatedBytes;
      resetPeakMemory(on.device);
      const loss = scope(() => {
        let stream = x;
        for (let block = 0; block < blocks; block++) stream = inner(stream);
        return sum(stream);
      });
      const kept = (memory(on.device).allocatedBytes - before) / x.bytes;
      backward(loss);
      return {kept, peak: (memory(on.device).peakBytes - before) / x.bytes};
    };
    const plain = await run(wide);
    const checkpointed = await run((x) => checkpoint(wide, x));
    t.true(plain.kept > 3 * blocks, `${plain.kept} tensors are kept, four a block`);
    t.true(checkpointed.kept < blocks + 1, `${checkpointed.kept} tensors are kept, one a block`);
    t.true(checkpointed.peak < blocks + 8, `${checkpointed.peak} tensors at most`);
  },
);
