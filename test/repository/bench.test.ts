/** `npm run bench`: which benches it runs, and where their figures go. */
import path from 'node:path';
import test from 'ava';
import {loadScript, root} from './support.js';

const {allBenches, benchPlan} = await loadScript<{
  allBenches: () => readonly string[];
  benchPlan: (
    args: readonly string[],
    all: readonly string[],
  ) => {names: readonly string[]; flags: readonly string[]; out: string};
}>('scripts/bench.mjs');

const all = ['torch/attention', 'ops/matmul'];
const quickFolder = path.join(root, '.setup', 'bench');

test('without a name all benches run, else those named', (t) => {
  t.deepEqual(benchPlan([], all).names, all);
  t.deepEqual(benchPlan(['ops/matmul', '--threads', '1'], all), {
    names: ['ops/matmul'],
    flags: ['--threads', '1'],
    out: benchPlan([], all).out,
  });
});

test('the name of a folder stands for the benches in it, each once', (t) => {
  const more = [...all, 'torch/matmul', 'ops/mat'];
  t.deepEqual(benchPlan(['torch', 'ops/mat', 'torch/matmul'], more).names, [
    'torch/attention',
    'torch/matmul',
    'ops/mat',
  ]);
});

test('a name that is none is refused, with those that there are', (t) => {
  for (const name of ['ops/matmull', 'op', 'torch/'])
    t.throws(() => benchPlan([name], all), {
      message: `bench: ${name} is no bench and no folder of them; there are torch/attention, ops/matmul`,
    });
});

test('figures go to a folder of the machine, those of a quick run elsewhere, or where they are asked for', (t) => {
  t.regex(path.relative(root, benchPlan([], all).out), /^bench\/results\/[a-z0-9-]+-\d+-cores$/);
  t.is(benchPlan(['--quick'], all).out, quickFolder);
  t.deepEqual(benchPlan(['--quick', '--out', 'here', '--samples', '3'], all), {
    names: all,
    flags: ['--quick', '--samples', '3'],
    out: path.resolve('here'),
  });
  t.is(benchPlan(['--out=here'], all).out, path.resolve('here'));
  t.throws(() => benchPlan(['--out'], all), {message: 'bench: --out needs a folder'});
});

test('every file in the folders of benches is one', (t) => {
  const found = allBenches();
  t.true(found.includes('torch/training-step'));
  t.true(found.includes('node/attention'));
  t.true(found.includes('scaling/attention'));
  t.true(found.includes('ops/rms-norm'));
  t.is(new Set(found).size, found.length);
});
