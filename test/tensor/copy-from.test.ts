import {full, tensor, zeros} from '../../lib/tensor/index.js';
import {onEachDevice} from '../support/ops.js';

onEachDevice(['float32'], 'copyFrom writes into a view of rows and leaves the other rows', async (t, on) => {
  const cache = zeros([3, 2], on);
  cache.rows(1, 2).copyFrom(tensor([[5, 6]], on));
  t.deepEqual([...(await cache.floats())], [0, 0, 5, 6, 0, 0]);
});

onEachDevice(['float32'], 'copyFrom comes after what was enqueued before it', async (t, on) => {
  const a = tensor([1, 2], on);
  const b = zeros([2], on);
  b.copyFrom(a);
  a.copyFrom(full([2], 9, on));
  t.deepEqual([...(await b.floats())], [1, 2]);
});

onEachDevice(['float32'], 'copyFrom names both shapes where they differ', (t, on) => {
  t.throws(() => zeros([2], on).copyFrom(zeros([3], on)), {
    code: 'ERR_SHAPE',
    message: 'copyInto: from must be [2] to match to [2]; got [3]',
  });
});
