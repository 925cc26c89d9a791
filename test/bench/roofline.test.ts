/** The model behind `crossmap bench`: what counts come to, and which time they need at least. */
import test from 'ava';
import {conflictRatio, issuedFlops, movedBytes, rooflineOf, type Gpu} from '../../lib/bench/roofline.js';
import {describe} from '../../lib/bench/run.js';
import type {KernelCounters} from '../../lib/kernel-counters.js';

const nothing: KernelCounters = {
  kernel: 'made-up',
  launches: 1,
  blocks: 1,
  blocksLeftOut: 0,
  threads: 32,
  sharedBytes: 0,
  globalSectors: 0,
  globalBytes: 0,
  sharedWavefronts: 0,
  idealSharedWavefronts: 0,
  products: {bfloat16: 0, float16: 0, tf32: 0},
  fmas: 0,
  specialFunctions: 0,
  barriers: 0,
};

const gpu: Gpu = {
  name: 'a slow one',
  flopsPerSecond: {bfloat16: 4096, float16: 4096, tf32: 1024},
  memoryBytesPerSecond: 320,
  sharedBytesPerSecond: 1280,
  fmasPerSecond: 64,
  specialFunctionsPerSecond: 8,
};

test('an instruction of 16 x 8 x 16 is 4096 operations, one of 16 x 8 x 8 half of them', (t) => {
  const counters = {...nothing, products: {bfloat16: 3, float16: 2, tf32: 4}};
  t.is(issuedFlops([counters, counters]), 2 * (5 * 4096 + 4 * 2048));
});

test('bytes moved are those of sectors, of all kernels', (t) => {
  t.is(
    movedBytes([
      {...nothing, globalSectors: 3, globalBytes: 12},
      {...nothing, globalSectors: 1},
    ]),
    128,
  );
});

test('the ratio of conflicts is that of all kernels together', (t) => {
  const clean = {...nothing, sharedWavefronts: 10, idealSharedWavefronts: 10};
  const slow = {...nothing, sharedWavefronts: 20, idealSharedWavefronts: 10};
  t.is(conflictRatio([clean, slow]), 1.5);
  t.is(conflictRatio([nothing]), NaN);
});

for (const [bound, seconds, counters] of [
  ['tensor cores', 4, {products: {bfloat16: 2, float16: 1, tf32: 0.5}}],
  ['shared memory', 3, {sharedWavefronts: 30}],
  ['special functions', 5, {fmas: 64, specialFunctions: 40, sharedWavefronts: 30}],
  ['multiply-adds', 6, {fmas: 384, specialFunctions: 40}],
  ['memory', 2, {sharedWavefronts: 10, products: {bfloat16: 1, float16: 0, tf32: 0}}],
] as const)
  test(`the longest time is the roofline: ${bound}`, (t) => {
    t.deepEqual(rooflineOf([{...nothing, ...counters}], 640, gpu), {bound, seconds});
  });

test('a stage is bounded by the least bytes where caches serve the rest, by all where none does', (t) => {
  const kernels = [{...nothing, globalSectors: 40}];
  const stage = {name: 'forward', work: {flops: 0, bytes: 320}} as const;
  const result = describe({op: 'cast', shape: '[80]'}, stage, kernels, gpu);
  t.deepEqual(result, {
    op: 'cast',
    shape: '[80]',
    stage: 'forward',
    needed: {flops: 0, bytes: 320},
    flopsIssued: 0,
    bytesMoved: 1280,
    fmas: 0,
    specialFunctions: 0,
    cached: {bound: 'memory', seconds: 1},
    uncached: {bound: 'memory', seconds: 4},
    kernels,
  });
});
