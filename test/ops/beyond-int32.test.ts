/**
 * Tensors of more than 2^31 elements: ops read and find the last rows of one. The emulated GPU has 80 GiB of which only what is touched
 * takes memory; what lies before the last rows was never written, and reading it is an error there.
 */
import test from 'ava';
import {attention, embedding, pool, reshape, sliceRows} from '../../lib/ops/index.js';
import {empty, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {closeTo, sumFloor, testDevices} from '../support/ops.js';

const device = 'simt';
const features = 256;
const known = 5;
const rows = 2 ** 31 / features + known;
const values = normalNumbers(known * features, 1);

/** Its last rows are known, and begin at element 2^31. */
function longTensor(): {long: Tensor; end: Tensor} {
  const long = empty([rows, features], {dtype: 'float32', device});
  const end = tensor(values, {shape: [known, features], device});
  sliceRows(long, rows - known, rows).copyFrom(end);
  return {long, end};
}

function integers(numbers: readonly number[]): Tensor {
  return tensor([...numbers], {dtype: 'int32', device});
}

function isTheSame(title: string, of: (x: Tensor, firstRow: number) => Tensor): void {
  test.serial(`${device} ${title} beyond 2^31 elements`, async (t) => {
    t.timeout(300_000);
    const {long, end} = longTensor();
    const [far, near] = [of(long, rows - known), of(end, 0)];
    const wanted = await near.floats();
    // Of attention blocks of keys begin elsewhere: sums have another order.
    closeTo(t, await far.floats(), wanted, sumFloor * Math.max(...wanted.map(Math.abs)));
    for (const each of [long, end, far, near]) each.dispose();
  });
}

if (testDevices.includes(device)) {
  isTheSame('embedding reads rows', (table, first) =>
    embedding(table, integers([first + 4, first, first + 2])),
  );

  isTheSame('pool reads spans', (hidden, first) =>
    pool(hidden, integers([first, first + 1]), integers([first + 5, first + 3]), {pooling: 'mean'}),
  );

  isTheSame('attention reads the keys of a window', (x, first) => {
    const keys = reshape(x, [first + known, 1, features]);
    return attention(tensor(normalNumbers(2 * features, 2), {shape: [2, 1, features], device}), keys, keys, {
      segmentStarts: integers([0, 2]),
      keyStarts: integers([0, first + known]),
      window: 3,
    });
  });
} else test('tensors of 2^31 elements are for the emulated GPU', (t) => t.pass());
