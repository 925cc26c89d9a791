/** The tape: where gradients go, and what is kept for them. */
import test from 'ava';
import {
  backward,
  clearGradients,
  detach,
  gradient,
  noGrad,
  record,
  requireGradient,
  requiresGradient,
} from '../../lib/autograd/index.js';
import {
  add,
  cast,
  exp,
  multiply,
  reshape,
  scale,
  sliceRows,
  square,
  subtract,
  sum,
} from '../../lib/ops/index.js';
import {full, memory, scope, synchronize, tensor, zeros, type Tensor} from '../../lib/tensor/index.js';
import {onEachDevice} from '../support/ops.js';

async function gradientOf(leaf: Tensor): Promise<number[]> {
  return [...(await gradient(leaf)!.floats())];
}

onEachDevice(['float32'], 'a tensor that is used twice has the sum of both gradients', async (t, on) => {
  const x = requireGradient(tensor([1, 2, 3], on));
  backward(sum(add(multiply(x, x), scale(x, 5))));
  t.deepEqual(await gradientOf(x), [7, 9, 11]);
});

onEachDevice(
  ['float32'],
  'the gradient of a second backward pass is added to that of the first',
  async (t, on) => {
    const x = requireGradient(tensor([1, 2], on));
    backward(sum(scale(x, 2)));
    const first = gradient(x);
    backward(sum(scale(x, 3)));
    t.is(gradient(x), first, 'in place');
    t.deepEqual(await gradientOf(x), [5, 5]);
  },
);

onEachDevice(['float32'], 'x + x takes the gradient twice', async (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  backward(add(x, x), tensor([3, 4], on));
  t.deepEqual(await gradientOf(x), [6, 8]);
});

onEachDevice(
  ['float32'],
  'a gradient that is handed to two leaves is not shared between them',
  async (t, on) => {
    const a = requireGradient(tensor([1, 2], on));
    const b = requireGradient(tensor([1, 2], on));
    backward(sum(add(a, b)));
    backward(sum(scale(a, 10)));
    t.deepEqual(await gradientOf(a), [11, 11]);
    t.deepEqual(await gradientOf(b), [1, 1]);
  },
);

onEachDevice(
  ['float32'],
  'a gradient that is handed on and met by another is not written to where it is shared',
  async (t, on) => {
    const a = requireGradient(tensor([1, 2], on));
    const b = requireGradient(tensor([3, 4], on));
    const both = add(a, b); // hands the same gradient to a and, through a view, to b
    const shape = reshape(b, [2, 1]);
    backward(add(both, reshape(shape, [2])), tensor([5, 6], on));
    t.deepEqual(await gradientOf(a), [5, 6]);
    t.deepEqual(await gradientOf(b), [10, 12]);
  },
);

onEachDevice(['float32'], 'a chain of views hands the gradient back through each', async (t, on) => {
  const x = requireGradient(zeros([4, 3], on));
  const chained = reshape(sliceRows(reshape(x, [6, 2]), 1, 5), [2, 4]);
  backward(chained, tensor([1, 2, 3, 4, 5, 6, 7, 8], {shape: [2, 4], ...on}));
  t.deepEqual(await gradientOf(x), [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0]);
});

onEachDevice(
  ['float32'],
  'a seed stays as it is, though the gradient of a leaf starts from it',
  async (t, on) => {
    const x = requireGradient(tensor([1, 2], on));
    const seed = tensor([3, 4], on);
    backward(reshape(x, [2]), seed);
    backward(sum(x));
    t.deepEqual([...(await seed.floats())], [3, 4]);
    t.deepEqual(await gradientOf(x), [4, 5]);
  },
);

onEachDevice(['float32'], 'backward of a leaf is its seed', async (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  backward(x, tensor([3, 4], on));
  t.deepEqual(await gradientOf(x), [3, 4]);
});

onEachDevice(
  ['float32'],
  'an op with two outputs runs backward once both have what will arrive',
  async (t, on) => {
    const x = requireGradient(tensor([1, 2, 3, 4], on));
    let runs = 0;
    const [head, tail] = record('halves', {
      inputs: [x],
      outputs: [x.rows(0, 2).native.retain(), x.rows(2, 4).native.retain()],
      saved: [],
      backward: ([dHead, dTail]) => {
        runs++;
        t.truthy(dHead);
        t.is(dTail, undefined, 'nothing arrived');
        return [full([4], 7, on).native.retain()];
      },
    });
    t.deepEqual([...(await tail.floats())], [3, 4]);
    backward(sum(add(head, scale(head, 2))));
    t.is(runs, 1);
    t.deepEqual(await gradientOf(x), [7, 7, 7, 7]);
  },
);

onEachDevice(
  ['float32'],
  'a gradient that an op gives for an input without one is dropped',
  async (t, on) => {
    const x = requireGradient(tensor([1, 2], on));
    const y = tensor([3, 4], on);
    backward(sum(multiply(x, y)));
    t.deepEqual(await gradientOf(x), [3, 4]);
    t.is(gradient(y), undefined);
  },
);

onEachDevice(['float32'], 'noGrad records nothing and gives what the work gives', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const y = noGrad(() => scale(x, 2));
  t.false(requiresGradient(y));
  t.true(requiresGradient(scale(x, 2)), 'recording goes on behind it');
});

onEachDevice(['float32'], 'recording goes on after work that throws', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  t.throws(() => noGrad(() => add(x, tensor([1, 2, 3], on))), {code: 'ERR_SHAPE'});
  t.true(requiresGradient(scale(x, 2)));
});

test('noGrad refuses asynchronous work', (t) => {
  t.throws(() => noGrad(async () => Promise.resolve(1)), {
    code: 'ERR_ARGUMENT',
    message: 'noGrad: work must not be asynchronous; await its result outside',
  });
});

onEachDevice(['float32'], 'no gradient flows through a detached tensor', async (t, on) => {
  const x = requireGradient(tensor([2, 3], on));
  const square = multiply(x, detach(x));
  backward(sum(square));
  t.deepEqual(await gradientOf(x), [2, 3]);
  t.false(requiresGradient(detach(x)));
});

onEachDevice(['float32'], 'the gradient of a bfloat16 leaf is float32 and sums in it', async (t, on) => {
  const x = requireGradient(tensor([1], {dtype: 'bfloat16', device: on.device}));
  backward(sum(x));
  for (let pass = 0; pass < 4; pass++) backward(sum(scale(x, 2 ** -9)));
  t.is(gradient(x)!.dtype, 'float32');
  t.deepEqual(await gradientOf(x), [1 + 2 ** -7], 'bfloat16 would have lost each of the four');
});

onEachDevice(['float32'], 'a float32 gradient passes a cast, a view and a sum unrounded', async (t, on) => {
  const x = requireGradient(tensor([1, 2, 3], {dtype: 'bfloat16', device: on.device}));
  const wide = cast(sliceRows(reshape(scale(x, 1), [3, 1]), 0, 2), 'float32');
  backward(wide, tensor([1 + 2 ** -20, 2], {shape: [2, 1], ...on}));
  t.deepEqual(await gradientOf(x), [1 + 2 ** -20, 2, 0]);
});

onEachDevice(
  ['float32'],
  'a gradient comes in the dtype of the output to an op that asks for it',
  async (t, on) => {
    const x = requireGradient(tensor([1], {dtype: 'bfloat16', device: on.device}));
    backward(cast(exp(scale(x, 0)), 'float32'), tensor([1 + 2 ** -20], on));
    t.deepEqual(await gradientOf(x), [0]);
    const y = requireGradient(tensor([0], {dtype: 'bfloat16', device: on.device}));
    backward(cast(exp(y), 'float32'), tensor([1 + 2 ** -20], on));
    t.deepEqual(await gradientOf(y), [1], 'rounded to bfloat16');
  },
);

onEachDevice(
  ['float32'],
  'clearGradients frees gradients, and the next backward pass starts anew',
  async (t, on) => {
    const x = requireGradient(tensor([1, 2], on));
    backward(sum(x));
    const before = gradient(x)!;
    clearGradients([x, tensor([1], on)]);
    t.true(before.isDisposed);
    t.is(gradient(x), undefined);
    backward(sum(scale(x, 3)));
    t.deepEqual(await gradientOf(x), [3, 3]);
  },
);

onEachDevice(['float32'], 'requireGradient of a leaf again keeps its gradient', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  backward(sum(x));
  const before = gradient(x);
  t.is(requireGradient(x), x);
  t.is(gradient(x), before);
});

onEachDevice(['float32'], 'what a scope frees stays for the backward pass, which frees it', async (t, on) => {
  const x = requireGradient(full([1 << 16], 2, on));
  const loss = scope(() => sum(square(square(x))));
  backward(loss);
  t.is((await gradientOf(x))[0], 32);
});

onEachDevice(['float32'], 'backward frees what ops have saved as it goes', async (t, on) => {
  await synchronize(on.device);
  const x = requireGradient(full([1 << 16], 1, on));
  const {bytes} = x;
  const before = memory(on.device).allocatedBytes;
  const loss = scope(() => sum(square(square(square(square(x))))));
  t.true(memory(on.device).allocatedBytes - before >= 3 * bytes, 'three squares are kept, and x besides');
  backward(loss);
  loss.dispose();
  t.true(memory(on.device).allocatedBytes - before <= bytes + 4096, 'the gradient alone is left');
});

onEachDevice(['float32'], 'a tape that is not used frees nothing but what it alone holds', async (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const y = scope(() => square(square(x)));
  x.dispose();
  t.deepEqual([...(await y.floats())], [1, 16]);
  t.notThrows(() => backward(y, tensor([1, 1], on)), 'the tape has handles of its own');
});

onEachDevice(['float32'], 'an error inside of a backward function leaves recording as it was', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const [y] = record('broken', {
    inputs: [x],
    outputs: [x.native.retain()],
    saved: [x.native],
    backward: () => {
      throw new RangeError('no gradient today');
    },
  });
  t.throws(() => backward(sum(y)), {instanceOf: RangeError});
  t.true(requiresGradient(scale(x, 2)));
  t.throws(() => backward(sum(y)), {code: 'ERR_AUTOGRAD'});
});

onEachDevice(['float32'], 'backward twice says whose saved tensors are gone', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const y = square(x);
  backward(sum(y));
  t.throws(() => backward(sum(y)), {
    code: 'ERR_AUTOGRAD',
    message: 'backward: the tape has been used: square has freed what it had saved',
  });
});

onEachDevice(['float32'], 'a refused backward pass leaves gradients as they were', async (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const y = square(x);
  backward(sum(y));
  t.throws(() => backward(sum(subtract(y, x))), {code: 'ERR_AUTOGRAD'});
  t.deepEqual(await gradientOf(x), [2, 4]);
});

onEachDevice(['float32'], 'backward of what was not recorded says so', (t, on) => {
  const message =
    'backward: the tensor does not depend on a tensor that requires a gradient, or was computed without recording';
  t.throws(() => backward(tensor([1], on)), {code: 'ERR_AUTOGRAD', message});
  const x = requireGradient(tensor([1], on));
  t.throws(() => backward(noGrad(() => square(x))), {code: 'ERR_AUTOGRAD', message});
});

onEachDevice(['float32'], 'backward without a seed needs a scalar', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  t.throws(() => backward(square(x)), {
    code: 'ERR_SHAPE',
    message: 'backward: without a seed the tensor must have one element; got [2]',
  });
});

onEachDevice(['float32'], 'backward says which shape and dtype a seed must have', (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  t.throws(() => backward(square(x), tensor([1, 2, 3], on)), {
    code: 'ERR_SHAPE',
    message: 'backward: seed must be [2] to match the tensor; got [3]',
  });
  t.throws(() => backward(square(x), tensor([1, 2], {dtype: 'int32', device: on.device})), {
    code: 'ERR_DTYPE',
    message: 'backward: seed must be float32, bfloat16 or float16; got int32',
  });
});

onEachDevice(['float32'], 'requireGradient refuses integers and results of ops', (t, on) => {
  t.throws(() => requireGradient(tensor([1], {dtype: 'int32', device: on.device})), {
    code: 'ERR_DTYPE',
    message: 'requireGradient: the tensor must be float32, bfloat16 or float16; got int32',
  });
  t.throws(() => requireGradient(square(requireGradient(tensor([1], on)))), {
    code: 'ERR_AUTOGRAD',
    message: 'requireGradient: the tensor is the result of a recorded op; detach it first',
  });
});
