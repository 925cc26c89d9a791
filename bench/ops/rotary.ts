/** Rotary embedding beside a copy of as many bytes: x is read and y written; a sine and a cosine per token and pair of features. */
import {cast, normal, rotary} from '../../lib/ops/index.js';
import {bytesOf, tensor, type FloatDType} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {copyOf} from '../support/copy.js';
import {sized} from '../support/quick.js';

const tokens = sized(8192, 128);
const heads = sized(16, 2);
const headDim = 64;
const half = headDim / 2;
const shape = [tokens, heads, headDim];
const segment = 128;

const wide = normal(shape, {seed: 1});
const values = await wide.floats();
const positions = tensor(Int32Array.from({length: tokens}, (_, t) => t % segment));
const thetas = Float32Array.from({length: half}, (_, d) => 10_000 ** (-d / half));
const frequencies = tensor(thetas);

const y64 = values.map((each, index) => {
  const feature = index % headDim;
  const token = Math.floor(index / (heads * headDim));
  const angle = Math.fround((token % segment) * (thetas[feature % half] ?? NaN));
  const partner = feature < half ? -(values[index + half] ?? NaN) : (values[index - half] ?? NaN);
  return each * Math.cos(angle) + partner * Math.sin(angle);
});

/** The share of the largest number that results may differ by: float32 arithmetic, a rounding to bfloat16. */
const tolerances = {float32: 1e-6, bfloat16: 1e-2} as const;

function caseOf(dtype: FloatDType & keyof typeof tolerances): BenchCase {
  const x = cast(wide, dtype);
  const bytes = 2 * x.size * bytesOf(dtype);
  return {
    title: `[${shape.join(', ')}] ${dtype}`,
    ours: () => rotary(x, positions, frequencies),
    peer: copyOf(bytes),
    bytes,
    check: () => checkClose(rotary(x, positions, frequencies), y64, tolerances[dtype]),
  };
}

await runBench({name: 'ops/rotary', cases: [caseOf('float32'), caseOf('bfloat16')]});
