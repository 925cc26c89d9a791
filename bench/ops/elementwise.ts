/**
 * Elementwise ops beside plain loops in TypeScript. Bytes: each operand that is as large as the result is read once and the result
 * written once, 4 bytes an element of float32 and 2 of bfloat16.
 */
import {native} from '../../lib/native.js';
import {add, gelu, multiply} from '../../lib/ops/index.js';
import {tensor, Tensor} from '../../lib/tensor/index.js';
import {runBench} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const elements = sized(1 << 23, 1 << 12); // 32 MB of float32: beyond the caches
const features = 1024;
const rows = elements / features;
const shape = [rows, features];

const left = Float32Array.from({length: elements}, (_, index) => 3 * Math.sin(index));
const right = Float32Array.from({length: elements}, (_, index) => Math.cos(index));
const a = tensor(left, {shape});
const b = tensor(right, {shape});
const row = tensor(right.slice(0, features));
const halfA = Tensor.fromNative(native.cast(a.native, 'bfloat16'));
const halfRow = Tensor.fromNative(native.cast(row.native, 'bfloat16'));
const out = new Float32Array(elements);

function plain(each: (index: number) => number): () => void {
  return () => {
    for (let index = 0; index < elements; index++) out[index] = each(index);
  };
}

const at = (values: Float32Array, index: number): number => values[index] ?? NaN;

const plainAdd = plain((index) => at(left, index) + at(right, index));
const plainRow = plain((index) => at(left, index) * at(right, index % features));
const plainGelu = plain((index) => {
  const x = at(left, index);
  return 0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
});

const loop = 'a loop in TypeScript';

await runBench({
  name: 'ops/elementwise',
  cases: [
    {
      title: `add [${shape}] float32`,
      ours: () => add(a, b),
      peer: {name: loop, run: plainAdd},
      bytes: elements * 12,
      async check() {
        plainAdd();
        await checkClose(add(a, b), out, 1e-6);
      },
    },
    {
      title: `multiply by a row [${shape}] float32`,
      ours: () => multiply(a, row),
      peer: {name: loop, run: plainRow},
      bytes: elements * 8,
      async check() {
        plainRow();
        await checkClose(multiply(a, row), out, 1e-6);
      },
    },
    {
      title: `multiply by a row [${shape}] bfloat16`,
      ours: () => multiply(halfA, halfRow),
      bytes: elements * 4,
      async check() {
        plainRow();
        await checkClose(multiply(halfA, halfRow), out, 2 ** -7);
      },
    },
    {
      title: `gradients of multiply by a row [${shape}] float32`,
      ours: () => {
        const {da, db} = native.binaryBackward('multiply', b.native, a.native, row.native, true, true);
        return [da, db].map((each) => each && Tensor.fromNative(each));
      },
      bytes: elements * 12,
    },
    {
      title: `gelu [${shape}] float32`,
      ours: () => gelu(a),
      peer: {name: loop, run: plainGelu},
      bytes: elements * 8,
      async check() {
        plainGelu();
        await checkClose(gelu(a), out, 1e-6);
      },
    },
    {
      title: `gradient of gelu [${shape}] float32`,
      ours: () => Tensor.fromNative(native.unaryBackward('gelu', b.native, a.native, {})),
      bytes: elements * 12,
    },
  ],
});
