/** Benches on the emulator, where it is under test. */
import test from 'ava';
import {benchOnEmulator, type StageResult} from '../../lib/bench/index.js';
import type {KernelLaunch} from '../../lib/kernel-counters.js';
import {runModule} from '../support/module.js';
import {testDevices} from '../support/ops.js';

async function results(ops: readonly string[]): Promise<StageResult[]> {
  const found: StageResult[] = [];
  for await (const result of benchOnEmulator(ops)) found.push(result);
  return found;
}

test('an op without a bench is refused, with those that have one', async (t) => {
  await t.throwsAsync(results(['cast', 'casts']), {
    code: 'ERR_ARGUMENT',
    message: /^bench: casts has no bench on the emulator; there are adamw, attention, cast, /,
  });
});

if (testDevices.includes('simt')) {
  test('simt a product of whole tiles issues what it needs, by kernels of its own', async (t) => {
    const [result] = await results(['matmul']);
    t.is(result?.flopsIssued, 2 * 256 ** 3);
    t.is(result?.needed.flops, 2 * 256 ** 3);
    t.deepEqual([...new Set(result?.kernels.map(({kernel}) => kernel))], ['matmul']);
  });

  test('simt a cast reads and writes each sector, and multiplies nothing', async (t) => {
    const [result] = await results(['cast']);
    t.is(result?.stage, 'forward');
    t.true((result?.bytesMoved ?? 0) >= 256 * 512 * 6);
    t.is(result?.flopsIssued, 0);
    t.is(result?.conflictRatio, undefined);
  });

  test('simt counting starts from nothing', async (t) => {
    const [first] = await results(['cast']);
    const [second] = await results(['cast']);
    t.deepEqual(second?.kernels, first?.kernels);
  });

  test('simt an op with a gradient has two stages, each with its own kernels', async (t) => {
    const stages = await results(['softmax']);
    t.deepEqual(
      stages.map(({stage, kernels}) => [stage, kernels.map(({kernel}) => kernel)]),
      [
        ['forward', ['softmax']],
        ['backward', ['softmax']],
      ],
    );
  });

  // At headDim 256 a tile of 128 queries takes 128 KiB.
  for (const [kib, rows] of [
    [99, 64],
    [163, 128],
  ] as const)
    test(`simt attention fits a GPU of ${kib} KiB of shared memory with tiles of ${rows} rows`, async (t) => {
      const code = `
        import {attention, normal} from 'lib/ops/index.js';
        import {tensor} from 'lib/tensor/index.js';
        import {native} from 'lib/native.js';
        const device = 'simt';
        const [q, k, v] = [1, 2, 3].map((seed) => normal([512, 1, 256], {seed, dtype: 'bfloat16', device}));
        const segmentStarts = tensor(Int32Array.of(0, 512), {device});
        native.simtProfile(true);
        attention(q, k, v, {segmentStarts, window: 1});
        console.log(JSON.stringify(native.simtLaunchShapes()));`;
      const env = {CROSSMAP_SIMT: `check=0,shared=${kib * 1024}`};
      const {exitCode, printed, errors} = await runModule(code, {env});
      t.is(exitCode, 0, errors);
      const launches = JSON.parse(printed) as KernelLaunch[];
      const largest = launches.reduce((a, b) => (b.sharedBytes > a.sharedBytes ? b : a));
      // q, and two stages of 32 keys and values of 512 bytes; a warp has 16 rows.
      t.is(largest.sharedBytes, (rows + 2 * 2 * 32) * 512);
      t.is(largest.threads, (rows / 16) * 32);
    });
}
