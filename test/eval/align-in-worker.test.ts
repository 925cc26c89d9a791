import test from 'ava';
import {alignInWorker} from '../../lib/eval/align-in-worker.js';
import {alignPair, type PairVectors} from '../../lib/eval/alignment.js';
import {normalNumbers} from '../support/numbers.js';

const [pairs, features] = [10, 4];

const vectors: PairVectors = {
  source: 'en',
  target: 'cs',
  features,
  layers: [1, 2].map((seed) => ({
    x: Float32Array.from(normalNumbers(pairs * features, seed)),
    y: Float32Array.from(normalNumbers(pairs * features, seed + 10)),
  })),
  counts: {x: Int32Array.from({length: pairs}, (_, i) => 3 + i), y: new Int32Array(pairs).fill(4)},
  seed: 5,
  draws: 20,
};

test('a worker measures what the function measures', async (t) => {
  t.deepEqual(await alignInWorker(vectors, undefined), alignPair(vectors));
});

test('the event loop runs on while a worker measures', async (t) => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await alignInWorker({...vectors, draws: 20_000}, undefined);
  clearInterval(timer);
  t.true(ticks > 0);
});

test('an error comes back with its code and message', async (t) => {
  const [first, second] = vectors.layers;
  const broken = {...vectors, layers: [first!, {x: second!.x.map(() => NaN), y: second!.y}]};
  const error = t.throws(() => alignPair(broken), {code: 'ERR_ARGUMENT'});
  await t.throwsAsync(alignInWorker(broken, undefined), {code: 'ERR_ARGUMENT', message: error.message});
});

test('a signal stops a worker, before or while it works', async (t) => {
  await t.throwsAsync(alignInWorker(vectors, AbortSignal.abort()), {code: 'ERR_ABORTED'});
  const controller = new AbortController();
  const work = alignInWorker({...vectors, draws: 200_000}, controller.signal);
  setImmediate(() => controller.abort());
  await t.throwsAsync(work, {code: 'ERR_ABORTED', message: 'evaluation: stopped by its signal'});
});
