/** contrastive holds no matrix of scores: the memory that its contract allows, forward and backward. */
import test, {type ExecutionContext} from 'ava';
import {backward} from '../../lib/autograd/index.js';
import {contrastive} from '../../lib/ops/index.js';
import {
  memory,
  resetPeakMemory,
  setThreads,
  synchronize,
  type FloatDType,
  type Tensor,
} from '../../lib/tensor/index.js';
import {testDevices} from '../support/ops.js';
import {leaf} from './contrastive-cases.js';

/** Bytes that an op may take at most beside gradients, by its contract. */
interface Bounds {
  readonly pairs: number;
  readonly features: number;
  readonly forward: number;
  readonly backward: number;
}

function cpuBounds(dtype: FloatDType): Bounds {
  const [pairs, features, threads, tile] = [4096, 32, 2, 512];
  setThreads(threads);
  // Packed operands are up to a hundredth larger than they are.
  const work = 1.01 * 4 * (threads * (tile * (tile + 2 * features) + tile * 2 * tile) + 15 * pairs);
  const sums = dtype === 'float32' ? 0 : 2 * pairs * features * 4;
  return {pairs, features, forward: work, backward: work + sums};
}

/** Of the emulator, with its 4 multiprocessors; fewer pairs, which it computes in seconds. */
function simtBounds(dtype: FloatDType): Bounds {
  const [pairs, features, multiprocessors] = [1280, 8, 4];
  const copies = 2 * pairs * features * (dtype === 'float32' ? 4 : 2);
  const partials = 16 * multiprocessors * 128 * 16;
  const small = 1024;
  const panel = 512 ** 2 * (dtype === 'float32' ? 4 : 2);
  return {
    pairs,
    features,
    forward: copies + 4 * 7 * pairs + partials + small,
    backward: copies + panel + 2 * pairs * features * 4 + small,
  };
}

for (const device of testDevices.filter((each) => each !== 'cuda'))
  for (const dtype of ['float32', 'bfloat16'] as const)
    test.serial(
      `${device} ${dtype} contrastive holds no matrix of scores: the bound of its contract`,
      async (t) => {
        const {pairs, features, ...bounds} = device === 'cpu' ? cpuBounds(dtype) : simtBounds(dtype);
        const on = {device, dtype};
        const leaves = [leaf([pairs, features], on), leaf([pairs, features], on, 2)] as const;
        await synchronize(device);
        const peakOf = async (run: () => void): Promise<number> => {
          resetPeakMemory(device);
          const {allocatedBytes} = memory(device);
          run();
          await synchronize(device);
          return memory(device).peakBytes - allocatedBytes;
        };
        // The allocator rounds a size up by at most an eighth.
        const rounded = 9 / 8;
        let loss: Tensor | undefined;
        const forward = await peakOf(() => (loss = contrastive(...leaves)));
        assertWithin(t, forward, rounded * bounds.forward);
        const gradients = 2 * pairs * features * (dtype === 'float32' ? 4 : 2);
        // Leaves keep their gradients in float32: those of bfloat16 are converted one after the other.
        const leafGradients = dtype === 'float32' ? 0 : 2 * pairs * features * 4;
        const backwards = await peakOf(() => backward(loss!));
        assertWithin(t, backwards, rounded * (bounds.backward + gradients + leafGradients));
        t.true(Math.max(forward, backwards) < (pairs * pairs * 4) / 4, 'far below one matrix of scores');
      },
    );

function assertWithin(t: ExecutionContext, bytes: number, bound: number): void {
  t.true(bytes <= bound, `${bytes} bytes are more than ${bound}`);
}
