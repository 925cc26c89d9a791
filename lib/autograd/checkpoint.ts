/** Activation checkpointing: less memory, one more forward pass. */
import type {NativeTensor} from '../native.js';
import {scope, Tensor} from '../tensor/index.js';
import {backward} from './backward.js';
import {gradient, noGrad, requireGradient, requiresGradient} from './leaf.js';
import {record} from './record.js';
import {isRecording, sourceOf, withRecording} from './tape.js';

/**
 * Computes `work(...inputs)` without keeping what its ops save, and computes it again in the backward pass. The result is the same to
 * the bit, since ops are deterministic, and so are the gradients, but for the order of the sum where an input is also used elsewhere.
 * Leaves that `work` reads from outside get their gradients too.
 *
 * @param work pure: the same results for the same inputs, which are given as arguments
 * @param inputs all tensors inside `work` that gradients flow through, weights (leaves) aside; at least one must require a gradient
 * @see Chen et al. 2016, arXiv:1604.06174
 */
export function checkpoint(work: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor {
  if (!isRecording()) return work(...inputs);
  const entrances = inputs.map(entranceFor);
  return scope(() => {
    const output = noGrad(() => work(...inputs));
    const [recorded] = record('checkpoint', {
      inputs,
      outputs: [output.native.retain()],
      saved: inputs.map((input) => input.native),
      backward: ([dOutput], saved) => recompute(work, saved, entrances, dOutput),
    });
    return recorded;
  });
}

/** Where an input enters the work that is recorded again, and where its gradient comes out. */
interface Entrance {
  readonly tensor: Tensor;
  readonly takeGradient: () => NativeTensor | undefined;
}

/** Gradients that meet at an input are summed there as they would be on the tape, or rounding would differ. */
function entranceFor(input: Tensor): (handle: NativeTensor) => Entrance {
  const source = sourceOf(input);
  if (source === undefined) return enterAsConstant;
  return 'leaf' in source ? enterAsLeaf : enterAsResult;
}

function enterAsConstant(handle: NativeTensor): Entrance {
  return {tensor: Tensor.fromNative(handle.retain()), takeGradient: () => undefined};
}

function enterAsLeaf(handle: NativeTensor): Entrance {
  const tensor = requireGradient(Tensor.fromNative(handle.retain()));
  return {tensor, takeGradient: () => gradient(tensor)?.native};
}

function enterAsResult(handle: NativeTensor): Entrance {
  let arrived: NativeTensor | undefined;
  const [tensor] = record('checkpoint', {
    inputs: [enterAsLeaf(handle).tensor],
    outputs: [handle.retain()],
    saved: [],
    takesAnyDType: true,
    backward: ([dy]) => {
      arrived = dy.retain();
      return [];
    },
  });
  return {tensor, takeGradient: () => arrived};
}

function recompute(
  work: (...inputs: Tensor[]) => Tensor,
  saved: readonly NativeTensor[],
  entrances: readonly ((handle: NativeTensor) => Entrance)[],
  dOutput: NativeTensor,
): (NativeTensor | undefined)[] {
  return scope(() =>
    withRecording(true, () => {
      const entered = saved.flatMap((handle, index) => entrances[index]?.(handle) ?? []);
      const output = work(...entered.map(({tensor}) => tensor));
      if (requiresGradient(output)) backward(output, Tensor.fromNative(dOutput.retain()));
      return entered.map(({takeGradient}) => takeGradient());
    }),
  );
}
