/** Cast of float32 to bfloat16 beside a plain loop in TypeScript: bytes are 4 read and 2 written for each element. */
import {native} from '../../lib/native.js';
import {tensor, Tensor} from '../../lib/tensor/index.js';
import {runBench} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const elements = sized(1 << 22, 1 << 12);
const values = Float32Array.from({length: elements}, (_, index) => Math.sin(index));
const bits = new Uint32Array(values.buffer);
const x = tensor(values);
const out = new Uint16Array(elements);

const ours = (): Tensor => Tensor.fromNative(native.cast(x.native, 'bfloat16'));

/** Round to nearest even on the bits; the values are finite. */
function plain(): void {
  for (let index = 0; index < elements; index++) {
    const each = bits[index] ?? 0;
    out[index] = (each + 0x7fff + ((each >>> 16) & 1)) >>> 16;
  }
}

await runBench({
  name: 'ops/cast',
  cases: [
    {
      title: `[${elements}] float32 to bfloat16`,
      ours,
      peer: {name: 'a loop in TypeScript', run: plain},
      bytes: elements * 6,
      async check() {
        plain();
        await checkClose(ours(), await tensor(out, {dtype: 'bfloat16'}).floats(), 0);
      },
    },
  ],
});
