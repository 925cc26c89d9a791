/** Recording an op, for authors of ops. */
import type {NativeTensor} from '../native.js';
import {Tensor} from '../tensor/index.js';
import {addNode, isRecording, setSource, sourceOf, takeOrder, type TapeNode} from './tape.js';

/** @inline */
type Handles = readonly NativeTensor[];

/** Gradients of the outputs. The backward pass runs only where one arrived: of a single output it is always there. @inline */
type Gradients<Outputs extends Handles> = Outputs extends readonly [NativeTensor]
  ? readonly [NativeTensor]
  : {readonly [K in keyof Outputs]: NativeTensor | undefined};

/** An op that has just been enqueued. */
export interface Executed<Outputs extends Handles, Saved extends Handles> {
  /** The tensors whose gradient the backward pass computes, in the order in which it gives them. */
  readonly inputs: readonly Tensor[];
  /** The op's results, which become tensors. */
  readonly outputs: Outputs;
  /** What the backward pass reads of inputs and outputs: further handles are kept until it has run. */
  readonly saved: Saved;
  /** Handles of the op's own that the backward pass reads: freed once it has run, or at once where none will. */
  readonly owned?: Handles;
  /**
   * Whether `backward` takes gradients of any float dtype; else they come in the dtype of the outputs. For ops that hand a gradient
   * on, so that a float32 one reaches its weight unrounded. Default false.
   */
  readonly takesAnyDType?: boolean;
  /**
   * Gradients of the inputs from those of the outputs. A result may be a gradient that came in, also several times; any other is
   * the tape's from then on.
   *
   * @param gradients [outputs] undefined where no gradient arrived; at least one did. In shape and dtype of the outputs, but for
   *   `takesAnyDType`
   * @param saved handles on what `saved` named
   * @param wanted [inputs] whether the gradient of each input is used; undefined may be given for the others
   */
  readonly backward: (
    gradients: Gradients<Outputs>,
    saved: {readonly [K in keyof Saved]: NativeTensor},
    wanted: readonly boolean[],
  ) => readonly (NativeTensor | undefined)[];
}

/**
 * Puts an op on the tape, if one of its inputs wants a gradient and recording is on.
 *
 * @param op name, for error messages
 * @returns the outputs as tensors
 */
export function record<const Outputs extends Handles, const Saved extends Handles>(
  op: string,
  executed: Executed<Outputs, Saved>,
): {readonly [K in keyof Outputs]: Tensor};
export function record(op: string, executed: Executed<Handles, Handles>): readonly Tensor[] {
  const {inputs, outputs, saved, owned = [], takesAnyDType = false, backward} = executed;
  const tensors = outputs.map((output) => Tensor.fromNative(output));
  const sources = inputs.map(sourceOf);
  if (!isRecording() || sources.every((source) => source === undefined)) {
    for (const handle of owned) handle.dispose();
    return tensors;
  }
  const retained = saved.map((handle) => handle.retain());
  const node: TapeNode = {
    order: takeOrder(),
    op,
    inputs: sources,
    dtypes: takesAnyDType ? undefined : outputs.map(({dtype}) => dtype),
    arrived: outputs.map(() => undefined),
    saved: [...retained, ...owned],
    backward: (gradients, kept, wanted) => backward(gradients, kept.slice(0, retained.length), wanted),
  };
  addNode(node);
  for (const [output, tensor] of tensors.entries()) setSource(tensor, {node, output});
  return tensors;
}
