/** embedding against indexing in JavaScript. */
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {embedding} from '../../lib/ops/index.js';
import {full, synchronize, tensor, zeros, type Tensor} from '../../lib/tensor/index.js';
import {sameOnAnyThreads} from '../support/determinism.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {closeTo, floatDTypes, onEachDevice, representable, type On} from '../support/ops.js';

/** The rows of the ids. */
function reference(table: readonly number[], ids: readonly number[], features: number): number[] {
  return ids.flatMap((id) => table.slice(id * features, (id + 1) * features));
}

/** Sums of rows by id, in float32 and in the order of the tokens: on the CPU the op must give these bits. */
function gradientReference(
  dy: readonly number[],
  ids: readonly number[],
  shape: readonly [number, number],
): Float32Array {
  const [vocab, features] = shape;
  const sums = new Float32Array(vocab * features);
  for (const [index, value] of dy.entries())
    sums[ids[Math.floor(index / features)]! * features + (index % features)]! += value;
  return sums;
}

/** How far sums in another order may be off: half a unit in the last place of the sum of magnitudes for each addition. */
function orderOfSums(
  dy: readonly number[],
  ids: readonly number[],
  shape: readonly [number, number],
  {device}: Pick<On, 'device'>,
): number {
  if (device === 'cpu') return 0;
  return ids.length * 2 ** -24 * Math.max(...gradientReference(dy.map(Math.abs), ids, shape));
}

function idsOn(ids: readonly number[], {device}: Pick<On, 'device'>): Tensor {
  return tensor(ids, {device, dtype: 'int32'});
}

const shapes: readonly (readonly [vocab: number, features: number, tokens: number])[] = [
  ...[1, 4, 15, 16, 17, 128].map((features) => [70, features, 130] as const),
  // Features of one task of the backward pass (256) less one, exactly, plus one; rows of one (64) on both sides of that.
  [63, 255, 30],
  [64, 256, 30],
  [65, 257, 30],
  // One row; one token; more rows than tokens, fewer.
  [1, 3, 9],
  [9, 3, 1],
  [5000, 5, 40],
  [2, 5, 4000],
];

for (const [vocab, features, tokens] of shapes)
  onEachDevice(
    floatDTypes,
    `embedding and its gradient, [${vocab}, ${features}], ${tokens} tokens`,
    async (t, on) => {
      const values = representable(normalNumbers(vocab * features), on.dtype);
      const ids = wholeNumbers(tokens, vocab, 5);
      const dy = representable(normalNumbers(tokens * features, 3), on.dtype);
      const table = requireGradient(tensor(values, {...on, shape: [vocab, features]}));
      const y = embedding(table, idsOn(ids, on));
      backward(y, tensor(dy, {...on, shape: [tokens, features]}));
      closeTo(t, await y.floats(), reference(values, ids, features), 0);
      const wanted = gradientReference(dy, ids, [vocab, features]);
      closeTo(t, await gradient(table)!.floats(), wanted, orderOfSums(dy, ids, [vocab, features], on));
    },
  );

onEachDevice(['float32'], 'embedding of any ids has the gradient of indexing', async (t, on) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({min: 0, max: 12}), {maxLength: 60}), async (ids) => {
      const values = normalNumbers(13 * 7);
      const dy = representable(normalNumbers(ids.length * 7, 3), 'float32');
      const table = requireGradient(tensor(values, {...on, shape: [13, 7]}));
      const y = embedding(table, idsOn(ids, on));
      backward(y, tensor(dy, {...on, shape: [ids.length, 7]}));
      closeTo(t, await y.floats(), reference(representable(values, 'float32'), ids, 7), 0);
      closeTo(t, await gradient(table)!.floats(), gradientReference(dy, ids, [13, 7]), 0);
    }),
    {seed: 1, numRuns: 60},
  );
});

onEachDevice(
  floatDTypes,
  'embedding and its gradient are the same on any number of threads',
  async (t, on) => {
    const ids = idsOn(wholeNumbers(3000, 300), on);
    const values = normalNumbers(300 * 70);
    await sameOnAnyThreads(t, () => {
      const table = requireGradient(tensor(values, {...on, shape: [300, 70]}));
      const y = embedding(table, ids);
      backward(y, y);
      return [y, gradient(table)!];
    });
  },
);

onEachDevice(floatDTypes, 'embedding of no tokens is empty and leaves a gradient of zeros', async (t, on) => {
  const table = requireGradient(full([3, 2], 1, on));
  const y = embedding(table, idsOn([], on));
  backward(y, zeros([0, 2], on));
  t.deepEqual(y.shape, [0, 2]);
  t.deepEqual([...(await gradient(table)!.floats())], [0, 0, 0, 0, 0, 0]);
});

onEachDevice(floatDTypes, 'embedding of rows without features is empty', async (t, on) => {
  const table = requireGradient(zeros([3, 0], on));
  const y = embedding(table, idsOn([2, 0], on));
  backward(y, y);
  t.deepEqual(y.shape, [2, 0]);
  t.deepEqual((await gradient(table)!.floats()).length, 0);
});

const bounds = [
  {ids: [1, 7, 0, 9, 8], message: 'embedding: token id 9 at position 3 must be below 8'},
  {ids: [1, -1, 9], message: 'embedding: token id -1 at position 1 must be 0 or more'},
  {ids: [2 ** 31 - 1], message: 'embedding: token id 2147483647 at position 0 must be below 8'},
  {ids: [-(2 ** 31)], message: 'embedding: token id -2147483648 at position 0 must be 0 or more'},
];

for (const {ids, message} of bounds)
  onEachDevice(
    floatDTypes,
    `embedding reports the first id outside of the table: ${ids.join(', ')}`,
    async (t, on) => {
      const table = requireGradient(full([8, 2], 3, on));
      const y = embedding(table, idsOn(ids, on));
      await t.throwsAsync(synchronize(on.device), {code: 'ERR_INDEX', message});
      const isInside = (id: number): boolean => id >= 0 && id < 8;
      closeTo(
        t,
        await y.floats(),
        ids.flatMap((id) => (isInside(id) ? [3, 3] : [0, 0])),
        0,
      );
      backward(y, full([ids.length, 2], 1, on));
      const counted = Array.from({length: 8}, (_, v) => ids.filter((id) => id === v).length);
      closeTo(
        t,
        await gradient(table)!.floats(),
        counted.flatMap((count) => [count, count]),
        0,
      );
    },
  );

onEachDevice(floatDTypes, 'embedding in an empty table refuses every id', async (t, on) => {
  const y = embedding(zeros([0, 2], on), idsOn([0], on));
  await t.throwsAsync(y.data(), {
    code: 'ERR_INDEX',
    message: 'embedding: token id 0 at position 0 must be below 0',
  });
});

onEachDevice(['float32'], 'embedding names the argument and what it must be', (t, on) => {
  const table = zeros([3, 2], on);
  t.throws(() => embedding(zeros([3], on), idsOn([1], on)), {
    code: 'ERR_SHAPE',
    message: 'embedding: table must have 2 axes; got [3]',
  });
  t.throws(() => embedding(zeros([3, 2], {...on, dtype: 'int32'}), idsOn([1], on)), {
    code: 'ERR_DTYPE',
    message: 'embedding: table must be float32, bfloat16 or float16; got int32',
  });
  t.throws(() => embedding(table, zeros([1, 1], {...on, dtype: 'int32'})), {
    code: 'ERR_SHAPE',
    message: 'embedding: tokens must have 1 axis; got [1, 1]',
  });
  t.throws(() => embedding(table, zeros([1], {...on, dtype: 'int64'})), {
    code: 'ERR_DTYPE',
    message: 'embedding: tokens must be int32; got int64',
  });
});
