/** Leaves of the tape and their gradients. */
import {CrossmapError} from '../errors.js';
import {isFloatDType, Tensor} from '../tensor/index.js';
import {setSource, sourceOf, withRecording} from './tape.js';

/**
 * Marks a tensor as one whose gradient is wanted: a weight, or an input of interest.
 *
 * @param tensor float32, bfloat16 or float16; not itself the result of a recorded op
 * @returns the same tensor
 * @throws ERR_DTYPE, ERR_AUTOGRAD
 */
export function requireGradient(tensor: Tensor): Tensor {
  if (!isFloatDType(tensor.dtype))
    throw new CrossmapError(
      'ERR_DTYPE',
      `requireGradient: the tensor must be float32, bfloat16 or float16; got ${tensor.dtype}`,
    );
  const source = sourceOf(tensor);
  if (source !== undefined && 'node' in source)
    throw new CrossmapError(
      'ERR_AUTOGRAD',
      'requireGradient: the tensor is the result of a recorded op; detach it first',
    );
  if (source === undefined) setSource(tensor, {leaf: {gradient: undefined, room: undefined}});
  return tensor;
}

/** Whether a gradient flows to or through the tensor. */
export function requiresGradient(tensor: Tensor): boolean {
  return sourceOf(tensor) !== undefined;
}

/** The gradient of a leaf: float32, in its shape. Undefined before the first backward pass that reaches it. */
export function gradient(leaf: Tensor): Tensor | undefined {
  const source = sourceOf(leaf);
  return source !== undefined && 'leaf' in source ? source.leaf.gradient : undefined;
}

/** Frees the gradients of leaves, so that the next backward pass starts from none. */
export function clearGradients(leaves: Iterable<Tensor>): void {
  for (const tensor of leaves) {
    const source = sourceOf(tensor);
    if (source === undefined || !('leaf' in source)) continue;
    const {leaf} = source;
    if (leaf.gradient !== leaf.room) leaf.gradient?.dispose();
    leaf.gradient = undefined;
  }
}

/**
 * Runs `work`, whose backward passes leave the gradients of leaves in memory of the caller. The leaves have no gradient before, and
 * none after.
 *
 * @param rooms [leaves] float32, each in the shape of its leaf
 */
export function withGradientsIn<T>(leaves: readonly Tensor[], rooms: readonly Tensor[], work: () => T): T {
  const giveRoom = (to: readonly Tensor[]): void => {
    clearGradients(leaves);
    for (const [index, tensor] of leaves.entries()) {
      const source = sourceOf(tensor);
      if (source !== undefined && 'leaf' in source) source.leaf.room = to[index];
    }
  };
  giveRoom(rooms);
  try {
    return work();
  } finally {
    giveRoom([]);
  }
}

/** The same memory as a tensor without a past: no gradient flows through it. @throws ERR_DISPOSED */
export function detach(tensor: Tensor): Tensor {
  return Tensor.fromNative(tensor.native.retain());
}

/**
 * Runs `work` without recording: for evaluation and for updates of weights.
 *
 * @throws ERR_ARGUMENT where `work` is asynchronous: what it computes later would be recorded; what `work` throws
 */
export function noGrad<T>(work: () => T): T {
  const result = withRecording(false, work);
  if (result instanceof Promise)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      'noGrad: work must not be asynchronous; await its result outside',
    );
  return result;
}
