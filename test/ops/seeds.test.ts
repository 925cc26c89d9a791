/**
 * Kernels with asynchronous copies under a hundred orders of threads, warps, blocks and landings. Each order must give the bits of the
 * plain one: what depends on luck does not, and the emulator reports races and copies that nobody waited for.
 */
import test from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {native} from '../../lib/native.js';
import {attention, contrastive, linearCrossEntropy, matmul} from '../../lib/ops/index.js';
import {scope, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {testDevices} from '../support/ops.js';

const seeds = 100;

type Dtype = 'float32' | 'bfloat16';

/** Results and gradients of an op, all of which must be the same. */
type Run = (dtype: Dtype) => readonly Tensor[];

const device = 'simt';

function normal(shape: readonly number[], dtype: Dtype, seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b);
  return requireGradient(tensor(normalNumbers(size, seed), {shape, dtype, device}));
}

function integers(values: readonly number[]): Tensor {
  return tensor([...values], {device, dtype: 'int32'});
}

function withGradients(result: Tensor, leaves: readonly Tensor[]): readonly Tensor[] {
  const ones = tensor(
    Array.from({length: result.size}, (_, index) => 1 + (index % 3)),
    {shape: result.shape, dtype: result.dtype, device},
  );
  backward(result, ones);
  return [result, ...leaves.map((leaf) => gradient(leaf)!)];
}

// More stages of depth than are in flight, and more than one tile; of attention several blocks of keys and three segments.
const runs: Readonly<Record<string, Run>> = {
  matmul: (dtype) => {
    const [a, b] = [normal([70, 170], dtype, 1), normal([170, 40], dtype, 2)];
    return withGradients(matmul(a, b), [a, b]);
  },
  attention: (dtype) => {
    const q = normal([150, 2, 32], dtype, 1);
    const [k, v] = [normal([150, 1, 32], dtype, 2), normal([150, 1, 32], dtype, 3)];
    return withGradients(attention(q, k, v, {segmentStarts: integers([0, 9, 40, 150])}), [q, k, v]);
  },
  contrastive: (dtype) => {
    const [x, y] = [normal([140, 40], dtype, 1), normal([140, 40], dtype, 2)];
    return withGradients(contrastive(x, y), [x, y]);
  },
  linearCrossEntropy: (dtype) => {
    const [hidden, weight] = [normal([40, 72], dtype, 1), normal([150, 72], dtype, 2)];
    return withGradients(linearCrossEntropy(hidden, weight, integers(wholeNumbers(40, 150, 3))).loss, [
      hidden,
      weight,
    ]);
  },
};

if (testDevices.includes(device))
  for (const [name, run] of Object.entries(runs))
    for (const dtype of ['float32', 'bfloat16'] as const)
      test.serial(`${device} ${dtype} ${name} gives the same bits in ${seeds} orders`, async (t) => {
        t.timeout(600_000);
        const bitsOf = async (): Promise<readonly ArrayBufferView[]> => {
          const results = scope(() => run(dtype));
          const bits = await Promise.all(results.map((each) => each.data()));
          for (const each of results) each.dispose();
          return bits;
        };
        const plain = await bitsOf();
        try {
          for (let seed = 1; seed <= seeds; seed++) {
            native.simtSeed(seed);
            t.deepEqual(await bitsOf(), plain, `seed ${seed}`);
          }
        } finally {
          native.simtSeed(0);
        }
      });
else test('orders of threads are for the emulated GPU', (t) => t.pass());
