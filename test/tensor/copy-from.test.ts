import test from 'ava';
import {full, tensor, zeros} from '../../lib/tensor/index.js';

test('copyFrom writes into a view of rows and leaves the other rows', async (t) => {
  const cache = zeros([3, 2]);
  cache.rows(1, 2).copyFrom(tensor([[5, 6]]));
  t.deepEqual([...(await cache.floats())], [0, 0, 5, 6, 0, 0]);
});

test('copyFrom comes after what was enqueued before it', async (t) => {
  const a = tensor([1, 2]);
  const b = zeros([2]);
  b.copyFrom(a);
  a.copyFrom(full([2], 9));
  t.deepEqual([...(await b.floats())], [1, 2]);
});

test('copyFrom names both shapes where they differ', (t) => {
  t.throws(() => zeros([2]).copyFrom(zeros([3])), {
    code: 'ERR_SHAPE',
    message: 'copyInto: from must be [2] to match to [2]; got [3]',
  });
});
