/** The global norm and its clipping against the formulas in float64. */
import test from 'ava';
import fc from 'fast-check';
import {cast, clipScale, globalNorm} from '../../lib/ops/index.js';
import {full, setThreads, tensor, zeros} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {onEachDevice} from '../support/ops.js';

const norm = (lists: readonly (readonly number[])[]): number => Math.hypot(...lists.flat());

onEachDevice(['float32'], 'globalNorm is the root of all squares, rounded once', async (t, on) => {
  // All vector widths (4, 8, 16) less one, exactly, plus one; one range of a thread or block (2^14) and one element more; none.
  const sizes = [1, 3, 4, 5, 15, 16, 17, 0, 2 ** 14, 2 ** 14 + 1];
  const lists = sizes.map((size, index) => normalNumbers(size, index + 1).map(Math.fround));
  const tensors = lists.map((each, index) => tensor(each, {shape: [sizes[index]!], ...on}));
  t.is(await globalNorm(tensors).item(), Math.fround(norm(lists)));
  for (const [index, each] of tensors.entries())
    t.is(await globalNorm([each]).item(), Math.fround(norm([lists[index]!])));
});

onEachDevice(['float32'], 'more tensors than one launch takes are all in the norm', async (t, on) => {
  // 120 fit into the arguments of a kernel.
  for (const count of [120, 121, 245]) {
    const tensors = Array.from({length: count}, (_, index) => tensor([index + 1, 1], on));
    const wanted = norm(tensors.map((_, index) => [index + 1, 1]));
    t.is(await globalNorm(tensors).item(), Math.fround(wanted));
  }
});

onEachDevice(['float32'], 'squares do not overflow or vanish', async (t, on) => {
  t.is(await globalNorm([tensor([3e30], on), tensor([4e30], on)]).item(), Math.fround(5e30));
  t.is(await globalNorm([tensor([3e-30, 4e-30], on)]).item(), Math.fround(5e-30));
  t.is(await globalNorm([full([4], 3e38, on)]).item(), Infinity, 'beyond float32 itself');
});

onEachDevice(['float32'], 'many small elements beside a large one are not lost', async (t, on) => {
  const count = 2 ** 20;
  const got = await globalNorm([tensor([4096], on), full([count], 1, on)]).item();
  t.is(got, Math.fround(Math.sqrt(4096 ** 2 + count)));
});

onEachDevice(['float32'], 'NaN and infinity propagate from any place', async (t, on) => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    const values = new Float32Array(2 ** 14 + 3);
    values[2 ** 14 + 2] = bad;
    t.is(await globalNorm([tensor([1], on), tensor(values, on)]).item(), Math.abs(bad));
  }
});

onEachDevice(['float32'], 'the norm of nothing is 0', async (t, on) => {
  t.is(await globalNorm([zeros([0], on), zeros([3, 0], on)]).item(), 0);
});

onEachDevice(
  ['float32'],
  'the norm does not depend on how elements are split into tensors, beyond its rounding',
  async (t, on) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.float({noNaN: true, min: -1000, max: 1000}), {maxLength: 40}), {
          minLength: 1,
          maxLength: 8,
        }),
        async (lists) => {
          const split = await globalNorm(
            lists.map((each) => tensor(each, {shape: [each.length], ...on})),
          ).item();
          return split === Math.fround(norm(lists));
        },
      ),
      {seed: 1, numRuns: 60},
    );
    t.pass();
  },
);

test.serial('the number of threads does not change a bit', async (t) => {
  const tensors = [7, 2 ** 16 + 1, 300].map((size, index) => tensor(normalNumbers(size, index)));
  const norms: number[] = [];
  for (const threads of [1, 3, 2]) {
    setThreads(threads);
    norms.push(await globalNorm(tensors).item());
  }
  t.is(norms[1], norms[0]);
  t.is(norms[2], norms[0]);
});

for (const [of, maxNorm, wanted] of [
  [2, 1, 0.5],
  [3, 1, Math.fround(1 / 3)],
  [1, 1, 1],
  [0.5, 1, 1],
  [0, 1, 1],
  [NaN, 1, NaN],
  [Infinity, 1, NaN],
] as const)
  onEachDevice(['float32'], `clipScale of a norm of ${of} to ${maxNorm} is ${wanted}`, async (t, on) => {
    t.is(await clipScale(tensor(of, on), maxNorm).item(), wanted);
  });

test('globalNorm and clipScale say which argument does not fit', (t) => {
  t.throws(() => globalNorm([]), {
    code: 'ERR_ARGUMENT',
    message: 'globalNorm: tensors must be at least one tensor; got none',
  });
  t.throws(() => globalNorm([zeros([1]), cast(zeros([1]), 'bfloat16')]), {
    code: 'ERR_DTYPE',
    message: 'globalNorm: tensors[1] must be float32; got bfloat16',
  });
  t.throws(() => clipScale(zeros([1]), 1), {
    code: 'ERR_SHAPE',
    message: 'clipScale: norm must be []; got [1]',
  });
  t.throws(() => clipScale(cast(zeros([]), 'float16'), 1), {
    code: 'ERR_DTYPE',
    message: 'clipScale: norm must be float32; got float16',
  });
  for (const maxNorm of [0, -1, NaN, Infinity])
    t.throws(() => clipScale(zeros([]), maxNorm), {
      code: 'ERR_ARGUMENT',
      message: `clipScale: maxNorm must be a number above 0; got ${maxNorm}`,
    });
});
