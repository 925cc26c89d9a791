/**
 * Softmax beside a plain loop in TypeScript. Bytes: forward reads and writes each element once; backward reads two tensors and writes
 * one. The passes over a row after the first are from cache.
 */
import {native} from '../../lib/native.js';
import {softmax} from '../../lib/ops/index.js';
import {tensor, Tensor} from '../../lib/tensor/index.js';
import {runBench} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const rows = sized(4096, 16);
const features = 1024;
const shape = [rows, features];
const elements = rows * features;

const values = Float32Array.from({length: elements}, (_, index) => 5 * Math.sin(index));
const x = tensor(values, {shape});
const half = tensor(values, {shape, dtype: 'bfloat16'});
const {statistics} = native.softmax('softmax', x.native);
const out = new Float32Array(elements);

function plain(): void {
  for (let row = 0; row < rows; row++) {
    const begin = row * features;
    const end = begin + features;
    let most = -Infinity;
    for (let at = begin; at < end; at++) most = Math.max(most, values[at] ?? NaN);
    let total = 0;
    for (let at = begin; at < end; at++) total += out[at] = Math.exp((values[at] ?? NaN) - most);
    for (let at = begin; at < end; at++) out[at] = (out[at] ?? NaN) / total;
  }
}

await runBench({
  name: 'ops/softmax',
  cases: [
    {
      title: `softmax [${shape}] float32`,
      ours: () => softmax(x),
      peer: {name: 'a loop in TypeScript', run: plain},
      bytes: elements * 8,
      async check() {
        plain();
        await checkClose(softmax(x), out, 1e-6);
      },
    },
    {
      title: `softmax [${shape}] bfloat16`,
      ours: () => softmax(half),
      bytes: elements * 4,
      async check() {
        plain();
        await checkClose(softmax(half), out, 2 ** -5);
      },
    },
    {
      title: `gradient of softmax [${shape}] float32`,
      ours: () => Tensor.fromNative(native.softmaxBackward('softmax', x.native, x.native, statistics)),
      bytes: elements * 12,
    },
  ],
});
