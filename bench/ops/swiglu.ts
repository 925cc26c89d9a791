/** SwiGLU beside a copy of as many bytes: forward reads two tensors and writes one, backward reads three and writes two. */
import {native} from '../../lib/native.js';
import {cast, normal, swiglu} from '../../lib/ops/index.js';
import {bytesOf, Tensor, type FloatDType} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {copyOf} from '../support/copy.js';
import {sized} from '../support/quick.js';

const shape = sized([4096, 2048], [32, 64]); // 32 MB of float32: beyond the caches of a core
const wideGate = normal(shape, {seed: 1});
const wideUp = normal(shape, {seed: 2});
const gates = await wideGate.floats();
const ups = await wideUp.floats();

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
const y64 = gates.map((gate, index) => gate * sigmoid(gate) * (ups[index] ?? NaN));

/** dUp for dy = up. */
const dUp64 = gates.map((gate, index) => gate * sigmoid(gate) * (ups[index] ?? NaN));

/** The share of the largest number that results may differ by: float32 arithmetic, a rounding to bfloat16. */
const tolerances = {float32: 1e-6, bfloat16: 2e-2} as const;

function casesOf(dtype: FloatDType & keyof typeof tolerances): BenchCase[] {
  const gate = cast(wideGate, dtype);
  const up = cast(wideUp, dtype);
  const bytes = gate.size * bytesOf(dtype);
  const backward = (): Tensor[] => {
    const {dGate, dUp} = native.swigluBackward(up.native, gate.native, up.native);
    return [Tensor.fromNative(dUp), Tensor.fromNative(dGate)];
  };
  return [
    {
      title: `forward [${shape.join(', ')}] ${dtype}`,
      ours: () => swiglu(gate, up),
      peer: copyOf(3 * bytes),
      bytes: 3 * bytes,
      check: () => checkClose(swiglu(gate, up), y64, tolerances[dtype]),
    },
    {
      title: `backward [${shape.join(', ')}] ${dtype}`,
      ours: backward,
      peer: copyOf(5 * bytes),
      bytes: 5 * bytes,
      async check() {
        const [dUp, dGate] = backward();
        if (dUp !== undefined) await checkClose(dUp, dUp64, tolerances[dtype]);
        dGate?.dispose();
      },
    },
  ];
}

await runBench({name: 'ops/swiglu', cases: [...casesOf('float32'), ...casesOf('bfloat16')]});
