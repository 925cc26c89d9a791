/** Benches on the emulator, where it is under test. */
import test from 'ava';
import {benchOnEmulator, type StageResult} from '../../lib/bench/index.js';
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
}
