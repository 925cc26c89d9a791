/** The backward pass over the tape. */
import {CrossmapError} from '../errors.js';
import {native, type NativeDType, type NativeTensor} from '../native.js';
import {span} from '../profile/index.js';
import {isFloatDType, type Tensor} from '../tensor/index.js';
import {deliver, sourceOf, withRecording, type TapeNode} from './tape.js';

/**
 * Computes the gradient of a tensor with respect to every leaf that it depends on and adds it to the leaf's. What the ops had saved
 * is freed on the way, so it can run once.
 *
 * @param root a scalar, unless `seed` is given
 * @param seed gradient with respect to `root`, in its shape, of any float dtype; default 1
 * @throws ERR_AUTOGRAD where `root` was not recorded, or its tape has been used; ERR_SHAPE where it is no scalar, or the seed does
 *   not fit; ERR_DTYPE where the seed is not of floats; what the backward function of a `customOp` throws
 */
export function backward(root: Tensor, seed?: Tensor): void {
  const source = sourceOf(root);
  if (source === undefined)
    throw new CrossmapError(
      'ERR_AUTOGRAD',
      'backward: the tensor does not depend on a tensor that requires a gradient, or was computed without recording',
    );
  if (seed === undefined && root.size !== 1)
    throw new CrossmapError(
      'ERR_SHAPE',
      `backward: without a seed the tensor must have one element; got [${root.shape.join(', ')}]`,
    );
  if (seed !== undefined && seed.shape.join() !== root.shape.join())
    throw new CrossmapError(
      'ERR_SHAPE',
      `backward: seed must be [${root.shape.join(', ')}] to match the tensor; got [${seed.shape.join(', ')}]`,
    );
  if (seed !== undefined && !isFloatDType(seed.dtype))
    throw new CrossmapError(
      'ERR_DTYPE',
      `backward: seed must be float32, bfloat16 or float16; got ${seed.dtype}`,
    );
  const nodes = 'node' in source ? reachable(source.node) : [];
  const used = nodes.find(({saved}) => saved === undefined);
  if (used !== undefined)
    throw new CrossmapError(
      'ERR_AUTOGRAD',
      `backward: the tape has been used: ${used.op} has freed what it had saved`,
    );
  span('backward', () => {
    deliver(
      source,
      seed === undefined ? native.fill(root.shape, root.dtype, root.device, 1) : seed.native.retain(),
    );
    withRecording(false, () => {
      for (const node of nodes) runNode(node);
    });
  });
}

/** All nodes that the root depends on, the latest first. */
function reachable(root: TapeNode): TapeNode[] {
  const found = new Set([root]);
  for (const node of found)
    for (const input of node.inputs) if (input !== undefined && 'node' in input) found.add(input.node);
  return [...found].sort((a, b) => b.order - a.order);
}

function runNode(node: TapeNode): void {
  const {saved = [], arrived, dtypes, inputs} = node;
  node.saved = undefined;
  const gradients = arrived.splice(0).map((gradient, output) => inDType(gradient, dtypes?.[output]));
  let results: readonly (NativeTensor | undefined)[] = [];
  try {
    if (gradients.some((gradient) => gradient !== undefined)) {
      const wanted = inputs.map((input) => input !== undefined);
      results = ownHandles(node.backward(gradients, saved, wanted), gradients);
    }
  } finally {
    for (const gradient of gradients) gradient?.dispose();
    for (const handle of saved) handle.dispose();
  }
  // Only now: a view of a gradient may have become the last handle on its memory, which is then taken instead of copied.
  for (const [index, handle] of results.entries()) {
    const source = inputs[index];
    if (source === undefined) handle?.dispose();
    else if (handle !== undefined) deliver(source, handle);
  }
}

/** The gradient, given up, in another dtype if one is asked for. */
function inDType(
  gradient: NativeTensor | undefined,
  dtype: NativeDType | undefined,
): NativeTensor | undefined {
  if (gradient === undefined || dtype === undefined || gradient.dtype === dtype) return gradient;
  const converted = native.cast(gradient, dtype);
  gradient.dispose();
  return converted;
}

/** Each result under a handle of its own: a result may be a gradient that came in, and may come again. */
function ownHandles(
  results: readonly (NativeTensor | undefined)[],
  gradients: readonly (NativeTensor | undefined)[],
): (NativeTensor | undefined)[] {
  const taken = new Set(gradients);
  return results.map((result) => {
    if (taken.has(result)) return result?.retain();
    taken.add(result);
    return result;
  });
}
