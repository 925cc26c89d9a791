/** Tiles and splits of attention on CUDA: pure functions of shape, dtype and architecture. */
import path from 'node:path';
import test from 'ava';
import {compile, programFolder, runProgram} from '../support/native-program.js';

const program = compile(
  path.join(programFolder(), 'attention-plan'),
  ['test/ops/attention-plan-program.cc', 'native/runtime/error.cc'],
  ['-DCROSSMAP_SIMT'],
);

const passes = ['forward', 'backward'] as const;

interface Question {
  readonly pass: (typeof passes)[number];
  readonly dtype: 'float32' | 'bfloat16';
  readonly headDim: number;
  readonly tokens: number;
  readonly keyTokens: number;
  readonly segments: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly sharedBytes: number;
  readonly multiprocessors: number;
}

/** What a block of sm_86, sm_89 and sm_120 can have, the least of all architectures that are built. */
const leastSharedBytes = 99 * 1024;

const usual: Question = {
  pass: 'forward',
  dtype: 'bfloat16',
  headDim: 64,
  tokens: 4096,
  keyTokens: 4096,
  segments: 1,
  heads: 16,
  kvHeads: 16,
  sharedBytes: leastSharedBytes,
  multiprocessors: 108,
};

function tilings(questions: readonly Partial<Question>[]) {
  const lines = questions.map((each) => {
    const of = {...usual, ...each};
    return [
      of.pass,
      of.dtype,
      of.headDim,
      of.tokens,
      of.keyTokens,
      of.segments,
      of.heads,
      of.kvHeads,
      of.sharedBytes,
      of.multiprocessors,
    ].join(' ');
  });
  return runProgram(program, {input: lines.join('\n')}).map((line) => {
    const [threads, owned, streamed, splits, tiles, sharedBytes, padded, mostThreads] = line
      .split(' ')
      .map(Number) as [number, number, number, number, number, number, number, number];
    return {threads, owned, streamed, splits, tiles, sharedBytes, padded, mostThreads};
  });
}

const tiling = (question: Partial<Question>) => tilings([question])[0]!;

test('a headDim is padded to the next size that there is a kernel for', (t) => {
  const sizes = [2, 32, 34, 64, 66, 96, 98, 128, 130, 192, 194, 256];
  t.deepEqual(
    tilings(sizes.map((headDim) => ({headDim}))).map(({padded}) => padded),
    [32, 32, 64, 64, 96, 96, 128, 128, 192, 192, 256, 256],
  );
});

test('every kernel of attention fits the least shared memory and the threads that it is compiled for', (t) => {
  const questions = passes.flatMap((pass) =>
    (['float32', 'bfloat16'] as const).flatMap((dtype) =>
      [32, 64, 96, 128, 192, 256].flatMap((headDim) =>
        [1, 16, 17, 64, 4096].map((tokens) => ({pass, dtype, headDim, tokens, keyTokens: tokens})),
      ),
    ),
  );
  for (const [index, plan] of tilings(questions).entries()) {
    const of = JSON.stringify({...questions[index], ...plan});
    t.true(plan.sharedBytes <= leastSharedBytes, of);
    t.true(plan.threads >= 32 && plan.threads % 32 === 0 && plan.threads <= plan.mostThreads, of);
    t.true(plan.owned % 16 === 0 && plan.tiles * plan.owned >= questions[index]!.tokens, of);
    t.true([16, 32, 64].includes(plan.streamed), of);
  }
});

test('tiles of long segments have 128 rows, those of short ones 64', (t) => {
  t.is(tiling({tokens: 4096, segments: 8}).owned, 128);
  t.is(tiling({tokens: 4096, segments: 9}).owned, 64);
});

test('gradients of scores take the place of a stage, so that tiles of the backward pass stay large', (t) => {
  const ownedAt = (headDim: number): number => tiling({pass: 'backward', headDim}).owned;
  t.deepEqual([32, 64, 96, 128, 192, 256].map(ownedAt), [128, 128, 128, 128, 64, 64]);
});

test('heads that share keys are rows of one tile', (t) => {
  const plan = tiling({tokens: 100, keyTokens: 100, heads: 16, kvHeads: 2});
  t.is(plan.tiles, Math.ceil((100 * 8) / plan.owned));
});

test('few rows share their many keys among blocks, at least four blocks of keys each', (t) => {
  const few = {tokens: 1, keyTokens: 8192, heads: 8, kvHeads: 8};
  t.is(tiling(few).splits, Math.ceil((2 * 108) / 8));
  t.is(tiling({...few, keyTokens: 1024}).splits, 1024 / 64 / 4);
  t.is(tiling({...few, heads: 1, kvHeads: 1, keyTokens: 1_000_000}).splits, 64);
});

test('rows that fill the device are not split, nor are gradients', (t) => {
  t.is(tiling({}).splits, 1);
  t.is(tiling({pass: 'backward', tokens: 1, keyTokens: 8192}).splits, 1);
});

test('nothing is launched where there are no rows', (t) => {
  t.is(tiling({tokens: 0, segments: 0}).tiles, 0);
});
