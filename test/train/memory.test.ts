import test from 'ava';
import {memory} from '../../lib/tensor/index.js';
import {train} from '../../lib/train/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {tinyConfig, writeCorpus} from './tiny-run.js';

test('memory stays flat over a thousand steps', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const config = tinyConfig(folder, [
    'model={layers: 1, features: 16, heads: 2, hiddenFeatures: 16, context: 32}',
    'training={steps: 1000, tokensPerBatch: 64, warmupSteps: 10, checkpointEvery: 1000}',
    'evaluation={every: 1000, atStart: false, pairs: 0, samples: 0, textTokens: 64}',
  ]);
  const allocated: number[] = [];
  const held: number[] = [];
  for await (const event of train(config)) {
    if (event.type !== 'step') continue;
    const {allocatedBytes, cachedBytes} = memory();
    allocated.push(allocatedBytes);
    held.push(allocatedBytes + cachedBytes);
  }
  // Batches differ in length, and a tensor may be freed a moment later: what counts is that nothing adds up.
  const most = (from: number, to: number): number => Math.max(...allocated.slice(from, to));
  t.is(allocated.length, 1000);
  t.true(most(900, 1000) <= 1.05 * most(100, 200), `${most(100, 200)} to ${most(900, 1000)} bytes`);
  t.true(Math.max(...held.slice(900)) <= 1.25 * Math.max(...held.slice(100, 200)));
});
