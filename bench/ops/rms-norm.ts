/**
 * RMSNorm beside a copy of as many bytes. Least bytes: forward reads x and writes y; with the residual it reads two and writes two; backward
 * reads dy and x and writes dx. The weight and the statistics of a token are small beside these.
 */
import {native} from '../../lib/native.js';
import {cast, normal, rmsNorm, rmsNormResidual} from '../../lib/ops/index.js';
import {bytesOf, full, Tensor, type FloatDType} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {copyOf} from '../support/copy.js';
import {sized} from '../support/quick.js';

const tokens = sized(8192, 32);
const features = 1024; // 32 MB of float32: beyond the caches of a core
const shape = [tokens, features];
const eps = 1e-5;

const wideX = normal(shape, {seed: 1});
const wideDy = normal(shape, {seed: 2});
const x64 = await wideX.floats();
const dy64 = await wideDy.floats();

const rstds = Array.from({length: tokens}, (_, t) => {
  const row = x64.subarray(t * features, (t + 1) * features);
  return 1 / Math.sqrt(row.reduce((sum, each) => sum + each * each, 0) / features + eps);
});

/** y for a weight of 1. */
const y64 = x64.map((each, index) => each * (rstds[Math.floor(index / features)] ?? NaN));

/** dx for a weight of 1. */
const dx64 = new Float32Array(tokens * features);
for (const [t, rstd] of rstds.entries()) {
  const at = (values: Float32Array, d: number): number => values[t * features + d] ?? NaN;
  let along = 0;
  for (let d = 0; d < features; d++) along += (at(dy64, d) * at(y64, d)) / features;
  for (let d = 0; d < features; d++) dx64[t * features + d] = rstd * (at(dy64, d) - at(y64, d) * along);
}

/** The share of the largest number that results may differ by: float32 sums, a rounding to bfloat16. */
const tolerances = {float32: 1e-5, bfloat16: 1e-2} as const;

function casesOf(dtype: FloatDType & keyof typeof tolerances): BenchCase[] {
  const x = cast(wideX, dtype);
  const dy = cast(wideDy, dtype);
  const weight = full([features], 1, {dtype});
  const tolerance = tolerances[dtype];
  const rstd = Tensor.fromNative(native.rmsNorm(x.native, weight.native, eps).rstd);
  const backward = (): Tensor[] => {
    const wanted = {x: true, weight: true};
    const results = native.rmsNormBackward(
      dy.native,
      undefined,
      x.native,
      weight.native,
      rstd.native,
      wanted,
    );
    return [results.dx, results.dWeight].flatMap((each) =>
      each === undefined ? [] : [Tensor.fromNative(each)],
    );
  };
  const bytes = tokens * features * bytesOf(dtype);
  return [
    {
      title: `forward [${shape.join(', ')}] ${dtype}`,
      ours: () => rmsNorm(x, weight),
      peer: copyOf(2 * bytes),
      bytes: 2 * bytes,
      check: () => checkClose(rmsNorm(x, weight), y64, tolerance),
    },
    {
      title: `forward with residual [${shape.join(', ')}] ${dtype}`,
      ours: () => rmsNormResidual(x, x, weight),
      peer: copyOf(4 * bytes),
      bytes: 4 * bytes,
      check: () => checkClose(rmsNormResidual(x, x, weight).y, y64, tolerance),
    },
    {
      title: `backward [${shape.join(', ')}] ${dtype}`,
      ours: backward,
      peer: copyOf(3 * bytes),
      bytes: 3 * bytes,
      async check() {
        const [dx, dWeight] = backward();
        if (dx !== undefined) await checkClose(dx, dx64, tolerance);
        dWeight?.dispose();
      },
    },
  ];
}

await runBench({name: 'ops/rms-norm', cases: [...casesOf('float32'), ...casesOf('bfloat16')]});
