/** Reading tensors, views of them, and their end. */
import {add, embedding} from '../../lib/ops/index.js';
import {full, tensor, zeros, type Tensor} from '../../lib/tensor/index.js';
import {onEachDevice, type On} from '../support/ops.js';

onEachDevice(['float32'], 'a tensor tells its rank, size and bytes', (t, on) => {
  const made = zeros([2, 3, 4], {dtype: 'bfloat16', device: on.device});
  t.deepEqual([made.rank, made.size, made.bytes], [3, 24, 48]);
  const scalar = zeros([], on);
  t.deepEqual([scalar.rank, scalar.size, scalar.bytes], [0, 1, 4]);
});

onEachDevice(['float32'], 'item gives the one element of each dtype as a number', async (t, on) => {
  t.is(await tensor([[1.5]], {dtype: 'float16', device: on.device}).item(), 1.5);
  t.is(await tensor([-7], {dtype: 'int32', device: on.device}).item(), -7);
  t.is(await tensor(BigInt64Array.of(2n ** 53n - 1n), {device: on.device}).item(), 2 ** 53 - 1);
});

onEachDevice(['float32'], 'item of more elements or none is refused', async (t, on) => {
  await t.throwsAsync(zeros([2, 1], on).item(), {
    code: 'ERR_SHAPE',
    message: 'item: the tensor must have one element; got [2, 1]',
  });
  await t.throwsAsync(zeros([0], on).item(), {
    code: 'ERR_SHAPE',
    message: 'item: the tensor must have one element; got [0]',
  });
});

onEachDevice(['float32'], 'floats gives the elements of integers', async (t, on) => {
  t.deepEqual(await tensor([3, -4], {dtype: 'int32', device: on.device}).floats(), Float32Array.of(3, -4));
  t.deepEqual(await tensor([3, 4], {dtype: 'uint8', device: on.device}).floats(), Float32Array.of(3, 4));
});

onEachDevice(['float32'], 'data of a tensor without elements is empty', async (t, on) => {
  t.deepEqual(await zeros([0, 4], on).data(), new Float32Array());
});

onEachDevice(
  ['float32'],
  'dataSync and floatsSync give what data and floats give, after all ops before them',
  async (t, on) => {
    const x = tensor([1.5, -2, 3], on);
    let y = x;
    for (let power = 0; power < 10; power++) y = add(y, y);
    t.deepEqual(y.dataSync(), Float32Array.of(1536, -2048, 3072));
    const half = tensor([1.5, -2], {dtype: 'bfloat16', device: on.device});
    t.deepEqual(half.dataSync(), await half.data());
    t.deepEqual(half.floatsSync(), Float32Array.of(1.5, -2));
    t.deepEqual(zeros([0, 4], on).dataSync(), new Float32Array());
    // What was asked for before comes too: the wait has not taken its turn away.
    const [before, now] = [y.data(), y.dataSync()];
    t.deepEqual(await before, now);
  },
);

onEachDevice(['float32'], 'a fault of an op is thrown by dataSync, once', async (t, on) => {
  const table = zeros([8, 2], on);
  const rows = embedding(table, tensor([9], {dtype: 'int32', device: on.device}));
  t.throws(() => rows.dataSync(), {code: 'ERR_INDEX', message: /^embedding: /});
  t.deepEqual(table.floatsSync(), new Float32Array(16));
});

onEachDevice(['float32'], 'a view has the elements in another shape, in the same memory', async (t, on) => {
  const made = tensor([1, 2, 3, 4, 5, 6], on);
  const view = made.view([2, -1]);
  t.deepEqual(view.shape, [2, 3]);
  made.copyFrom(full([6], 9, on));
  t.deepEqual(await view.data(), new Float32Array(6).fill(9));
});

onEachDevice(['float32'], 'a size of -1 is what is left of the elements', (t, on) => {
  const made = zeros([4, 6], on);
  t.deepEqual(made.view([-1]).shape, [24]);
  t.deepEqual(made.view([2, -1, 3]).shape, [2, 4, 3]);
  t.deepEqual(zeros([0, 6], on).view([-1, 3]).shape, [0, 3]);
});

for (const shape of [[5], [-1, -1], [-1, 7], [-1, 0], [2, -2]])
  onEachDevice(['float32'], `a view of 6 elements in the shape [${shape.join(', ')}] is refused`, (t, on) => {
    t.throws(() => zeros([2, 3], on).view(shape), {
      code: 'ERR_SHAPE',
      message: `reshape: [${shape.join(', ')}] must have the 6 elements of [2, 3]`,
    });
  });

onEachDevice(['float32'], 'rows are a view of a range of the first axis', async (t, on) => {
  const made = tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    on,
  );
  const rows = made.rows(1, 3);
  t.deepEqual(rows.shape, [2, 2]);
  t.deepEqual(await rows.data(), Float32Array.of(3, 4, 5, 6));
  t.deepEqual(await rows.rows(1, 2).data(), Float32Array.of(5, 6));
  t.deepEqual(made.rows(3, 3).shape, [0, 2]);
});

onEachDevice(['float32'], 'rows of odd offsets are read and written at any alignment', async (t, on) => {
  for (const dtype of ['float32', 'bfloat16', 'uint8'] as const) {
    const values = Array.from({length: 70}, (_, index) => index);
    const rows = tensor(values, {dtype, device: on.device}).rows(3, 70);
    const doubled = dtype === 'uint8' ? rows : add(rows, rows);
    const factor = dtype === 'uint8' ? 1 : 2;
    t.deepEqual(
      [...(await doubled.floats())],
      values.slice(3).map((each) => factor * each),
    );
  }
});

for (const [start, end] of [
  [-1, 2],
  [0, 4],
  [2, 1],
  [0.5, 2],
  [NaN, 2],
] as const)
  onEachDevice(['float32'], `rows ${start} to ${end} of 3 are refused`, (t, on) => {
    t.throws(() => zeros([3, 2], on).rows(start, end), {
      code: 'ERR_ARGUMENT',
      message: `rows: start and end must be whole numbers with 0 <= start <= end <= 3; got ${start} and ${end}`,
    });
  });

onEachDevice(['float32'], 'a scalar has no rows', (t, on) => {
  t.throws(() => zeros([], on).rows(0, 1), {
    code: 'ERR_SHAPE',
    message: 'rows: the tensor must have at least 1 axis; got []',
  });
});

onEachDevice(['float32'], 'a view outlives the tensor that it is of', async (t, on) => {
  const made = tensor([1, 2, 3], on);
  const view = made.rows(1, 3);
  made.dispose();
  zeros([3], on).dispose();
  t.deepEqual(await view.data(), Float32Array.of(2, 3));
});

const uses: readonly (readonly [title: string, use: (made: Tensor, on: On) => unknown])[] = [
  ['data', (made) => made.data()],
  ['floats', (made) => made.floats()],
  ['dataSync', (made) => made.dataSync()],
  ['floatsSync', (made) => made.floatsSync()],
  ['item', (made) => made.item()],
  ['view', (made) => made.view([1])],
  ['rows', (made) => made.rows(0, 1)],
  ['copyFrom', (made, on) => zeros([1], on).copyFrom(made)],
  ['an op', (made) => add(made, made)],
];

for (const [title, use] of uses)
  onEachDevice(['float32'], `${title} of a tensor that was disposed of is refused`, async (t, on) => {
    const made = zeros([1], on);
    made.dispose();
    made.dispose();
    t.true(made.isDisposed);
    await t.throwsAsync(async () => use(made, on), {
      code: 'ERR_DISPOSED',
      message: 'tensor: float32 [1] was used after it had been disposed of',
    });
  });

onEachDevice(['float32'], 'using disposes of a tensor at the end of its block', (t, on) => {
  let outside: Tensor;
  {
    using inside = zeros([2], on);
    outside = inside;
    t.false(outside.isDisposed);
  }
  t.true(outside.isDisposed);
});

onEachDevice(['float32'], 'data that was asked for before the end of a tensor is whole', async (t, on) => {
  const made = full([1000], 3, on);
  const data = made.data();
  made.dispose();
  full([1000], 4, on).dispose();
  t.deepEqual(await data, new Float32Array(1000).fill(3));
});
