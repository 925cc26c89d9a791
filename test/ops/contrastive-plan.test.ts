/** How the CUDA form divides its matrices of scores: memory stays bounded, and multiprocessors have work. */
import path from 'node:path';
import test from 'ava';
import {compile, programFolder, runProgram} from '../support/native-program.js';

const program = compile(path.join(programFolder(), 'contrastive-plan'), [
  'test/ops/contrastive-plan-program.cc',
]);

interface Sizes {
  readonly multiprocessors: number;
  readonly dtype: 'float32' | 'bfloat16';
  readonly features: number;
  readonly columns: number;
}

interface Plan {
  readonly sizes: Sizes;
  readonly sweepRows: number;
  readonly pullSide: number;
}

function plansOf(all: readonly Sizes[]): readonly Plan[] {
  const input = all
    .map(({multiprocessors, dtype, features, columns}) =>
      [multiprocessors, dtype, features, columns].join(' '),
    )
    .join('\n');
  return runProgram(program, {input}).map((line, index) => {
    const [sweepRows, pullSide] = line.split(' ').map(Number);
    return {sizes: all[index]!, sweepRows: sweepRows!, pullSide: pullSide!};
  });
}

const tile = 128;

const grid = [1, 4, 46, 108, 132].flatMap((multiprocessors) =>
  (['float32', 'bfloat16'] as const).flatMap((dtype) =>
    [0, 1, 128, 129, 512, 1000, 4096, 100_000].flatMap((features) =>
      [1, 128, 129, 8192, 1_000_000, 3_000_000_000].map((columns) => ({
        multiprocessors,
        dtype,
        features,
        columns,
      })),
    ),
  ),
);

test('a panel is a whole number of tiles, one at least', (t) => {
  for (const {sizes, sweepRows, pullSide} of plansOf(grid))
    t.true(
      [sweepRows, pullSide].every((each) => each >= tile && each % tile === 0),
      JSON.stringify({sizes, sweepRows, pullSide}),
    );
});

test('partial results take 32 KiB for each multiprocessor, or 16 bytes for each column where that is more', (t) => {
  for (const {sizes, sweepRows} of plansOf(grid)) {
    const tileColumns = Math.ceil(sizes.columns / tile);
    const bytes = (sweepRows / tile) * tileColumns * 2 * tile * 8;
    const bound = Math.max(sizes.multiprocessors * 32 * 1024, tileColumns * tile * 16);
    t.true(bytes <= bound, JSON.stringify({sizes, sweepRows}));
  }
});

test('a panel of gradients is 32 MiB at most', (t) => {
  for (const {sizes, pullSide} of plansOf(grid))
    t.true(
      pullSide ** 2 * (sizes.dtype === 'float32' ? 4 : 2) <= 32 * 2 ** 20,
      JSON.stringify({sizes, pullSide}),
    );
});

test('132 multiprocessors have two blocks each, of all kernels, at 8192 pairs with 512 features', (t) => {
  const [plan] = plansOf([{multiprocessors: 132, dtype: 'bfloat16', features: 512, columns: 8192}]);
  t.deepEqual([plan!.sweepRows, plan!.pullSide], [33 * tile, 4096]);
});
