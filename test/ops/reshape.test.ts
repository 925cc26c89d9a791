/** Reshape: the same memory in another shape, and the way back for gradients. */
import test from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {reshape} from '../../lib/ops/index.js';
import {scope, tensor, zeros} from '../../lib/tensor/index.js';
import {floatDTypes, onEachDevice} from '../support/ops.js';

onEachDevice(floatDTypes, 'reshape keeps elements, dtype and memory', async (t, on) => {
  const x = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    on,
  );
  const y = reshape(x, [3, 2]);
  t.deepEqual([y.shape, y.dtype], [[3, 2], on.dtype]);
  x.copyFrom(
    tensor(
      [
        [6, 5, 4],
        [3, 2, 1],
      ],
      on,
    ),
  );
  t.deepEqual([...(await y.floats())], [6, 5, 4, 3, 2, 1]);
});

test('one size may be left to be found', (t) => {
  const x = zeros([4, 6]);
  t.deepEqual(reshape(x, [-1]).shape, [24]);
  t.deepEqual(reshape(x, [2, -1, 3]).shape, [2, 4, 3]);
  t.deepEqual(reshape(zeros([1]), []).shape, []);
  t.deepEqual(reshape(zeros([0, 3]), [3, 0, 5]).shape, [3, 0, 5]);
});

onEachDevice(floatDTypes, 'the gradient has the shape that came in', async (t, on) => {
  const x = requireGradient(
    tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      on,
    ),
  );
  backward(reshape(x, [6]), tensor([1, 2, 3, 4, 5, 6], on));
  t.deepEqual(gradient(x)!.shape, [2, 3]);
  t.deepEqual([...(await gradient(x)!.floats())], [1, 2, 3, 4, 5, 6]);
});

test('a reshaped tensor outlives the scope of what it is a view of', async (t) => {
  const y = scope(() => reshape(tensor([1, 2]), [2, 1]));
  t.deepEqual([...(await y.floats())], [1, 2]);
});

test('reshape says which elements do not fit', (t) => {
  const x = zeros([2, 3]);
  for (const [shape, text] of [
    [[4], '[4]'],
    [[-1, 4], '[-1, 4]'],
    [[-1, -1], '[-1, -1]'],
  ] as const)
    t.throws(() => reshape(x, shape), {
      code: 'ERR_SHAPE',
      message: `reshape: ${text} must have the 6 elements of [2, 3]`,
    });
  x.dispose();
  t.throws(() => reshape(x, [6]), {code: 'ERR_DISPOSED'});
});
