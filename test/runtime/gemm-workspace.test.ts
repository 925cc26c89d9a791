/** Working memory of products on the CPU: what is set aside for the largest sizes does for all smaller ones, as its users rely on. */
import path from 'node:path';
import test from 'ava';
import {compile, programFolder, runProgram} from '../support/native-program.js';
import {wholeNumbers} from '../support/numbers.js';

const program = compile(
  path.join(programFolder(), 'gemm-workspace'),
  ['test/runtime/gemm-workspace-program.cc'],
  ['-DCROSSMAP_ISA=baseline', '-Wno-psabi'],
);

/** The micro-tiles that kernels are fit for: rows, columns, elements and steps of words, words of a block, rows and columns of a task, its least operations. */
const shapes = {
  'vectors of AVX-512': [14, 32, 1, 1, 512, 112, 256, 1e6],
  'vectors of AVX2': [6, 16, 1, 1, 512, 48, 256, 1e6],
  'vectors of SSE2': [6, 8, 1, 1, 512, 48, 256, 1e6],
  'pairs of bfloat16': [14, 32, 2, 1, 512, 112, 256, 1e6],
  'AMX tiles': [32, 32, 2, 16, 192, 256, 256, 1e7],
} as const;

/** From 1 to 10^5, small ones as often as large ones. */
const sizes = (count: number, seed: number): number[] =>
  wholeNumbers(count, 2 ** 20, seed).map((each) => Math.floor(10 ** ((5 * each) / 2 ** 20)));

for (const [name, shape] of Object.entries(shapes))
  for (const dtype of ['float32', 'bfloat16'])
    test(`working memory of products suffices for smaller ones: ${name}, to ${dtype}`, (t) => {
      const count = 20_000;
      const most = [1, 2, 3].map((seed) => sizes(count, seed));
      const shares = [4, 5, 6].map((seed) => wholeNumbers(count, 1001, seed));
      const lines = Array.from({length: count}, (_, i) => {
        const largest = most.map((each) => each[i] ?? 1);
        // Most a little smaller: there the bound is nearest.
        const smaller = largest.map((size, axis) =>
          Math.max(1, Math.ceil(size * (1 - ((shares[axis]?.[i] ?? 0) / 1000) ** 4))),
        );
        return [...shape, dtype, ...smaller, ...largest].join(' ');
      });
      const short = runProgram(program, {input: lines.join('\n')}).flatMap((line, i) => {
        const [needed = NaN, bound = NaN] = line.split(' ').map(Number);
        return needed <= bound ? [] : [`${lines[i]}: ${line}`];
      });
      t.deepEqual(short.slice(0, 3), [], `${short.length} of ${count} are too short`);
    });
