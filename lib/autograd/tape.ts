/** The tape: which op made which tensor, and how its gradient is computed. */
import {native, type NativeDType, type NativeTensor} from '../native.js';
import {Tensor} from '../tensor/index.js';

/** A tensor that gradients are kept for: a weight, or an input of interest. */
interface Leaf {
  /** float32, whatever the dtype of the leaf: sums of many small terms do not fit in fewer bits. */
  gradient: Tensor | undefined;
  /** Where the gradient is to stand; without it the memory of the first one that arrives is taken. */
  room: Tensor | undefined;
}

/** One executed op. */
export interface TapeNode {
  /** Counts up: an op comes after all whose results it took. */
  readonly order: number;
  readonly op: string;
  /** [inputs] where the gradient of each input goes; undefined where none is wanted. */
  readonly inputs: readonly (Source | undefined)[];
  /** [outputs] the dtype in which each gradient is handed to `backward`; undefined where any float dtype will do. */
  readonly dtypes: readonly NativeDType[] | undefined;
  /** [outputs] gradients that arrived so far. */
  readonly arrived: (NativeTensor | undefined)[];
  /** What the backward pass reads; freed with it. Undefined once it ran. */
  saved: readonly NativeTensor[] | undefined;
  readonly backward: (
    gradients: readonly (NativeTensor | undefined)[],
    saved: readonly NativeTensor[],
    wanted: readonly boolean[],
  ) => readonly (NativeTensor | undefined)[];
}

/** Where a tensor came from. */
type Source = {readonly leaf: Leaf} | {readonly node: TapeNode; readonly output: number};

const sources = new WeakMap<Tensor, Source>();

let recording = true;
let nextOrder = 0;

/** Where the gradient of a tensor goes, or undefined where none is wanted. */
export function sourceOf(tensor: Tensor): Source | undefined {
  return sources.get(tensor);
}

export function setSource(tensor: Tensor, source: Source): void {
  sources.set(tensor, source);
}

/** Whether ops are recorded now. */
export function isRecording(): boolean {
  return recording;
}

/** Runs `work` with recording on or off. */
export function withRecording<T>(on: boolean, work: () => T): T {
  const before = recording;
  recording = on;
  try {
    return work();
  } finally {
    recording = before;
  }
}

export function takeOrder(): number {
  return nextOrder++;
}

let unfinished: TapeNode[] | undefined;

/** Puts an op on the tape. */
export function addNode(node: TapeNode): void {
  unfinished?.push(node);
}

/** Runs `work`. Where it throws, what its ops had saved is freed at once, and not when the garbage collector comes to it. */
export function freeingTape<T>(work: () => T): T {
  const before = unfinished;
  const nodes: TapeNode[] = (unfinished = []);
  try {
    return work();
  } catch (error) {
    for (const node of nodes) {
      for (const handle of [...(node.saved ?? []), ...node.arrived]) handle?.dispose();
      node.saved = undefined;
      node.arrived.length = 0;
    }
    throw error;
  } finally {
    unfinished = before;
  }
}

/** Adds a gradient, which becomes the source's own, to what arrived before. */
export function deliver(source: Source, gradient: NativeTensor): void {
  if ('leaf' in source) {
    deliverToLeaf(source.leaf, gradient);
    return;
  }
  const {arrived} = source.node;
  const before = arrived[source.output];
  arrived[source.output] = before === undefined ? gradient : sum(before, gradient);
}

function deliverToLeaf(leaf: Leaf, gradient: NativeTensor): void {
  if (leaf.gradient !== undefined) {
    native.accumulate(leaf.gradient.native, gradient);
    gradient.dispose();
    return;
  }
  if (leaf.room !== undefined) {
    const wide = gradient.dtype === 'float32' ? gradient : native.cast(gradient, 'float32');
    native.copyInto(leaf.room.native, wide);
    wide.dispose();
    gradient.dispose();
    leaf.gradient = leaf.room;
    return;
  }
  if (gradient.dtype === 'float32' && !gradient.isShared) {
    leaf.gradient = Tensor.untracked(gradient);
    return;
  }
  leaf.gradient = Tensor.untracked(native.cast(gradient, 'float32'));
  gradient.dispose();
}

/**
 * The sum of two gradients, both given up: float32 if one of them is. Memory that somebody else also uses is not written to.
 */
function sum(a: NativeTensor, b: NativeTensor): NativeTensor {
  const dtype = b.dtype === 'float32' ? b.dtype : a.dtype;
  const into = a.isShared || a.dtype !== dtype ? native.cast(a, dtype) : a;
  native.accumulate(into, b);
  if (into !== a) a.dispose();
  b.dispose();
  return into;
}
