/**
 * Pooling of spans beside a plain loop in TypeScript. Bytes: forward reads each token of a span once and writes one float32 vector;
 * backward reads that vector and writes every token.
 */
import {backward, clearGradients, requireGradient} from '../../lib/autograd/index.js';
import {normal, pool} from '../../lib/ops/index.js';
import {bytesOf, full, tensor, type FloatDType} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const tokens = sized(8192, 512);
const features = sized(512, 64);
const pairs = 256;
const spanTokens = tokens / pairs;

const firstTokens = Int32Array.from({length: pairs}, (_, pair) => pair * spanTokens);
const starts = tensor(firstTokens);
const ends = tensor(firstTokens.map((start) => start + spanTokens));
const shape = `[${tokens}, ${features}]`;

const hidden = normal([tokens, features], {seed: 1});
const values = await hidden.floats();
const out = new Float32Array(pairs * features);

function plain(): void {
  out.fill(0);
  for (let token = 0; token < tokens; token++) {
    const row = Math.floor(token / spanTokens) * features;
    for (let d = 0; d < features; d++)
      out[row + d] = (out[row + d] ?? NaN) + (values[token * features + d] ?? NaN) / spanTokens;
  }
}

function withGradient(dtype: FloatDType): BenchCase {
  const leaf = requireGradient(normal([tokens, features], {seed: 1, dtype}));
  const seed = full([pairs, features], 1);
  return {
    title: `weighted, normalised, forward and backward ${shape} ${dtype}`,
    ours() {
      clearGradients([leaf]);
      backward(pool(leaf, starts, ends, {pooling: 'weighted', normalize: true}), seed);
    },
    bytes: 2 * tokens * features * bytesOf(dtype) + 2 * pairs * features * bytesOf('float32'),
  };
}

await runBench({
  name: 'ops/pool',
  cases: [
    {
      title: `mean ${shape} float32 to [${pairs}, ${features}]`,
      ours: () => pool(hidden, starts, ends),
      peer: {name: 'a loop in TypeScript', run: plain},
      bytes: (tokens + pairs) * features * bytesOf('float32'),
      async check() {
        plain();
        await checkClose(pool(hidden, starts, ends), out, 1e-6);
      },
    },
    withGradient('float32'),
    withGradient('bfloat16'),
  ],
});
