/** The backward pass over the tape. */
import {CrossmapError} from '../errors.js';
import {native, type NativeDType, type NativeTensor} from '../native.js';
import type {Tensor} from '../tensor/index.js';
import {deliver, sourceOf, withRecording, type TapeNode} from './tape.js';

/**
 * Computes the gradient of a tensor with respect to every leaf that it depends on and adds it to the leaf's. What the ops had saved
 * is freed on the way, so it can run once.
 *
 * @param root a scalar, unless `seed` is given
 * @param seed gradient with respect to `root`, in its shape; default 1
 * @throws ERR_AUTOGRAD where `root` was not recorded, or its tape has been used; ERR_SHAPE where it is no scalar, or the seed does
 *   not fit
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
  const nodes = 'node' in source ? reachable(source.node) : [];
  const used = nodes.find(({saved}) => saved === undefined);
  if (used !== undefined)
    throw new CrossmapError(
      'ERR_AUTOGRAD',
      `backward: the tape has been used: ${used.op} has freed what it had saved`,
    );
  deliver(
    source,
    seed === undefined ? native.fill(root.shape, root.dtype, root.device, 1) : seed.native.retain(),
  );
  withRecording(false, () => {
    for (const node of nodes) runNode(node);
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
  if (gradients.some((gradient) => gradient !== undefined)) {
    const wanted = inputs.map((input) => input !== undefined);
    const results = node.backward(gradients, saved, wanted);
    handOn(node, results, gradients);
  }
  for (const gradient of gradients) gradient?.dispose();
  for (const handle of saved) handle.dispose();
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

/** Each result goes to its input under a handle of its own; `gradients` stay ours. */
function handOn(
  {inputs}: TapeNode,
  results: readonly (NativeTensor | undefined)[],
  gradients: readonly (NativeTensor | undefined)[],
): void {
  const handedOn = new Set<NativeTensor | undefined>(gradients);
  // All handles are made before the first is delivered: delivery may free it, and the same result may come again.
  const deliveries = results.flatMap((result, index) => {
    if (result === undefined) return [];
    const isTaken = handedOn.has(result);
    handedOn.add(result);
    return [{handle: isTaken ? result.retain() : result, source: inputs[index]}];
  });
  for (const {handle, source} of deliveries)
    if (source === undefined) handle.dispose();
    else deliver(source, handle);
}
