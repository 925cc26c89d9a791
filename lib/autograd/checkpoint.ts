/** Activation checkpointing: less memory, one more forward pass. */
import {native, type NativeTensor} from '../native.js';
import {scope, Tensor} from '../tensor/index.js';
import {backward} from './backward.js';
import {gradient, noGrad, requireGradient} from './leaf.js';
import {record} from './record.js';
import {isRecording, withRecording} from './tape.js';

/**
 * Computes `work(...inputs)` without keeping what its ops save, and computes it again in the backward pass. The result is the same to
 * the bit, since ops are deterministic. Leaves that `work` reads from outside get their gradients too.
 *
 * @param work pure: the same results for the same inputs, which are given as arguments
 * @param inputs all tensors inside `work` that gradients flow through, weights (leaves) aside; at least one must require a gradient
 * @see Chen et al. 2016, arXiv:1604.06174
 */
export function checkpoint(work: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor {
  if (!isRecording()) return work(...inputs);
  const output = scope(() => noGrad(() => work(...inputs)));
  const [recorded] = record('checkpoint', {
    inputs,
    outputs: [output.native.retain()],
    saved: inputs.map((input) => input.native),
    backward: ([dOutput], saved, wanted) =>
      dOutput === undefined ? [] : recompute(work, saved, wanted, dOutput),
  });
  output.dispose();
  return recorded;
}

function recompute(
  work: (...inputs: Tensor[]) => Tensor,
  saved: readonly NativeTensor[],
  wanted: readonly boolean[],
  dOutput: NativeTensor,
): (NativeTensor | undefined)[] {
  return scope(() => {
    const again = saved.map((handle, index) => {
      const input = Tensor.fromNative(handle.retain());
      return wanted[index] === true ? requireGradient(input) : input;
    });
    const output = withRecording(true, () => work(...again));
    backward(output, Tensor.fromNative(dOutput.retain()));
    return again.map((input) => inDType(gradient(input), input));
  });
}

/** A leaf's gradient is float32; the tape carries gradients in the dtype of the tensor. */
function inDType(found: Tensor | undefined, {dtype}: Tensor): NativeTensor | undefined {
  if (found === undefined) return undefined;
  if (dtype === 'float32') return found.native;
  const converted = native.cast(found.native, dtype);
  found.dispose();
  return converted;
}
