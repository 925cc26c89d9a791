/** Ops that pick out rows: the last ones of tensors of more than 2^31 elements. */
import test from 'ava';
import {beyondInt32, known, small, withGradients} from '../support/beyond-int32.js';
import {requireGradient} from '../../lib/autograd/index.js';
import {attention, embedding, pool, reshape, sliceRows} from '../../lib/ops/index.js';
import {empty, emptyCache, tensor, type Device, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {closeTo, testDevices} from '../support/ops.js';

function integers(numbers: readonly number[], device: Device = 'simt'): Tensor {
  return tensor([...numbers], {dtype: 'int32', device});
}

// ---- both devices: few rows are read, so that all of the work is done

const features = 256;
const rows = 2 ** 31 / features + known;

function reads(title: string, of: (x: Tensor, firstRow: number, device: Device) => Tensor): void {
  for (const device of testDevices)
    test.serial(`${device} ${title} beyond 2^31 elements`, async (t) => {
      t.timeout(300_000);
      const on = {dtype: 'bfloat16', device} as const;
      const [long, end] = [
        empty([rows, features], on),
        tensor(normalNumbers(known * features, 1), {shape: [known, features], ...on}),
      ];
      sliceRows(long, rows - known, rows).copyFrom(end);
      const [far, near] = [of(long, rows - known, device), of(end, 0, device)];
      const wanted = await near.floats();
      // Of attention blocks of keys begin elsewhere: sums have another order, and rounding gives a neighbour.
      closeTo(t, await far.floats(), wanted, 2 ** -7 * Math.max(...wanted.map(Math.abs)));
      for (const each of [long, end, far, near]) each.dispose();
      emptyCache(device);
    });
}

reads('embedding reads rows', (table, first, device) =>
  embedding(table, integers([first + 2, first, first + 1], device)),
);

reads('pool reads spans', (hidden, first, device) =>
  pool(hidden, integers([first, first + 1], device), integers([first + 3, first + 2], device)),
);

reads('attention reads the keys of a window', (x, first, device) => {
  const keys = reshape(x, [first + known, 1, features]);
  const q = tensor(normalNumbers(2 * features, 2), {shape: [2, 1, features], dtype: 'bfloat16', device});
  return attention(q, keys, keys, {
    segmentStarts: integers([0, 2], device),
    keyStarts: integers([0, first + known], device),
    window: 2,
  });
});

// ---- the emulated GPU: results and gradients of so many rows

// All blocks of the sort are executed; each id stands once.
beyondInt32(
  'embedding of as many tokens, and the gradient of as large a table',
  (at) => {
    const table = at.leaf([2 ** 16], 1);
    const ids = Array.from({length: at.rows(2 ** 16)}, (_, id) => id);
    return withGradients(embedding(table, integers(ids)), at.normal([2 ** 16], 2), [table]);
  },
  {blocks: 17, compared: 2 ** 16},
);

beyondInt32('the gradient of pooled tokens', (at) => {
  const hidden = at.leaf([2048], 1);
  const first = at.before(2048);
  const [starts, ends] = [integers([first, first + 1]), integers([first + 3, first + 2])];
  const pooled = pool(hidden, starts, ends, {pooling: 'weighted', normalize: true});
  return withGradients(pooled, small([2, 2048], 2, 'float32'), [hidden]);
});

// The spans that are not known are empty.
beyondInt32('pool of as many spans, and its gradient', (at) => {
  const hidden = requireGradient(small([8, 2048], 1));
  const spans = (bounds: readonly number[]): Tensor => at.ending(at.rows(2048), [], bounds, 'int32');
  const pooled = pool(hidden, spans([0, 2, 5]), spans([4, 3, 8]), {normalize: true});
  return withGradients(pooled, at.normal([2048], 2, 'float32'), [hidden]);
});

const headDim = 256;

/** The known tokens are the last segment. A window keeps the work of the one before small. */
function segments(first: number): Tensor {
  return integers([0, first, first + known]);
}

beyondInt32('attention with sinks, and its gradients', (at) => {
  const first = at.before(headDim);
  const qRow = [2, headDim];
  const [k, v] = [at.leaf([1, headDim], 2), at.leaf([1, headDim], 3)];
  const q = requireGradient(
    at.ending(first + known, qRow, normalNumbers(known * 2 * headDim, 1), 'bfloat16'),
  );
  const sinks = requireGradient(small([2], 4, 'float32'));
  const dOut = at.ending(first + known, qRow, normalNumbers(known * 2 * headDim, 5), 'bfloat16');
  const out = attention(q, k, v, {segmentStarts: segments(first), window: known, sinks});
  return withGradients(out, dOut, [q, k, v, sinks]);
});

// Statistics of rows are by heads of keys: those of the last head are the last.
beyondInt32(
  'attention of several heads, and its gradients,',
  (at) => {
    const [q, k, v] = [at.leaf([2, headDim], 1), at.leaf([2, headDim], 2), at.leaf([2, headDim], 3)];
    const out = attention(q, k, v, {
      segmentStarts: segments(at.before(2 * headDim)),
      mask: 'none',
      window: known,
    });
    return withGradients(out, at.normal([2, headDim], 4), [q, k, v]);
  },
  {compared: headDim},
);

if (testDevices.includes('simt'))
  test.serial('simt an op that needs more blocks than a grid has is refused', (t) => {
    const on = {dtype: 'int32', device: 'simt'} as const;
    const [hidden, bounds] = [empty([1, 1], {device: 'simt'}), empty([2 ** 31], on)];
    t.throws(() => pool(hidden, bounds, bounds), {
      code: 'ERR_INTERNAL',
      message: 'pool: a grid of 2147483648 x 1 x 1 blocks cannot be launched',
    });
    for (const each of [hidden, bounds]) each.dispose();
    emptyCache('simt');
  });
