/** Reductions beside plain loops in TypeScript. Bytes: each element is read once. */
import {max, mean, sum} from '../../lib/ops/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {runBench} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const elements = sized(1 << 23, 1 << 12); // 32 MB of float32: beyond the caches
const features = 1024;
const shape = [elements / features, features];

const values = Float32Array.from({length: elements}, (_, index) => 1 + Math.sin(index));
const x = tensor(values, {shape});
const half = tensor(values, {shape, dtype: 'bfloat16'});

function plainSum(): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function plainMax(): number {
  let most = -Infinity;
  for (const value of values) if (value > most) most = value;
  return most;
}

const out = new Float32Array(elements / features);

function plainMeans(): void {
  for (let row = 0; row < out.length; row++) {
    let total = 0;
    for (let at = row * features; at < (row + 1) * features; at++) total += values[at] ?? NaN;
    out[row] = total / features;
  }
}

const loop = 'a loop in TypeScript';
const last = {axis: 'last'} as const;

await runBench({
  name: 'ops/reduce',
  cases: [
    {
      title: `sum of all [${shape}] float32`,
      ours: () => sum(x),
      peer: {name: loop, run: plainSum},
      bytes: elements * 4,
      check: () => checkClose(sum(x), [plainSum()], 1e-6),
    },
    {
      title: `sum of all [${shape}] bfloat16`,
      ours: () => sum(half),
      bytes: elements * 2,
      check: () => checkClose(sum(half), [plainSum()], 1e-4),
    },
    {
      title: `mean over the last axis [${shape}] float32`,
      ours: () => mean(x, last),
      peer: {name: loop, run: plainMeans},
      bytes: elements * 4,
      async check() {
        plainMeans();
        await checkClose(mean(x, last), out, 1e-6);
      },
    },
    {
      title: `max of all [${shape}] float32`,
      ours: () => max(x),
      peer: {name: loop, run: plainMax},
      bytes: elements * 4,
      check: () => checkClose(max(x), [plainMax()], 0),
    },
  ],
});
