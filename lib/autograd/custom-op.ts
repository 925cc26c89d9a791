/** Ops of one's own, written in terms of tensors, with a gradient of one's own. */
import {CrossmapError} from '../errors.js';
import type {NativeTensor} from '../native.js';
import {isFloatDType, scope, Tensor} from '../tensor/index.js';
import {noGrad} from './leaf.js';
import {record} from './record.js';

/** @inline */
type Tensors = readonly Tensor[];

/** A list as long as that of the outputs; a single output is a list of one. @inline */
type PerOutput<Outputs extends Tensor | Tensors, Single, Each> = Outputs extends Tensors
  ? {readonly [K in keyof Outputs]: Each}
  : readonly [Single];

/** What the backward pass may read of the forward pass. */
export interface Kept<Inputs extends Tensors, Outputs extends Tensor | Tensors> {
  /** The tensors that the op took. @throws ERR_ARGUMENT where `keeps.inputs` is false */
  readonly inputs: Inputs;
  /** What the op gave; a single output is a list of one. @throws ERR_ARGUMENT where `keeps.outputs` is false */
  readonly outputs: PerOutput<Outputs, Tensor, Tensor>;
}

/** An op for `customOp`. */
export interface CustomOp<Inputs extends Tensors, Outputs extends Tensor | Tensors> {
  /** Stands in front of error messages. */
  readonly name: string;
  /** The result, or several in a tuple (`as const`), from the inputs. What else it makes is freed; nothing is recorded inside. */
  readonly forward: (...inputs: Inputs) => Outputs;
  /**
   * Gradients of the inputs from those of the outputs.
   *
   * @param gradients [outputs] each like its output; undefined where none arrived, which a single output never is
   * @returns [inputs] each in the shape of its input; undefined for an input that has no gradient
   */
  // A method: its parameters are compared in both directions, which lets the overloads of customOp share one body.
  backward(
    gradients: PerOutput<Outputs, Tensor, Tensor | undefined>,
    kept: Kept<Inputs, Outputs>,
  ): {readonly [K in keyof Inputs]: Tensor | undefined};
  /** What `backward` reads, and what therefore stays in memory until it has run; default both. */
  readonly keeps?: {readonly inputs?: boolean; readonly outputs?: boolean};
}

/**
 * Makes an op from a forward and a backward function of tensors, for where a gradient is cheaper, steadier or other than that of the
 * ops inside.
 *
 * @returns the op: it takes the inputs of `forward` and returns its outputs, and the backward pass runs through `backward`. The op
 *   throws what `forward` throws; a backward pass through it throws what `backward` throws, ERR_ARGUMENT where that gives not one
 *   gradient for each input, and ERR_SHAPE or ERR_DTYPE where one does not fit its input
 */
export function customOp<Inputs extends Tensors>(op: CustomOp<Inputs, Tensor>): (...inputs: Inputs) => Tensor;
export function customOp<Inputs extends Tensors, Outputs extends Tensors>(
  op: CustomOp<Inputs, Outputs>,
): (...inputs: Inputs) => Outputs;
export function customOp(op: CustomOp<Tensors, Tensor | Tensors>): (...inputs: Tensors) => Tensor | Tensors {
  return (...inputs) =>
    scope(() => {
      const result = noGrad(() => op.forward(...inputs));
      if (!(result instanceof Tensor))
        return record(op.name, {...recorded(op, inputs, result), outputs: result.map(handleOn)});
      const [output] = record(op.name, {...recorded(op, inputs, [result]), outputs: [handleOn(result)]});
      return output;
    });
}

function handleOn(tensor: Tensor): NativeTensor {
  return tensor.native.retain();
}

/** What is recorded besides the outputs, on the level of handles. */
function recorded(op: CustomOp<Tensors, Tensor | Tensors>, inputs: Tensors, outputs: Tensors) {
  const {inputs: keepsInputs = true, outputs: keepsOutputs = true} = op.keeps ?? {};
  const keptInputs = keepsInputs ? inputs : [];
  const keptOutputs = keepsOutputs ? outputs : [];
  // The closure below holds numbers and shapes, not tensors: what is not kept must be free to be collected.
  const keptInputCount = keptInputs.length;
  const shapes = inputs.map(({shape}) => shape);
  return {
    inputs,
    saved: [...keptInputs, ...keptOutputs].map((tensor) => tensor.native),
    backward: (gradients: readonly (NativeTensor | undefined)[], saved: readonly NativeTensor[]) =>
      scope(() => {
        const kept = saved.map((handle) => Tensor.fromNative(handle.retain()));
        const results = op.backward(
          gradients.map((gradient) => gradient && Tensor.fromNative(gradient.retain())),
          {
            get inputs() {
              return keepsInputs ? kept.slice(0, keptInputCount) : refuseKept(op.name, 'inputs');
            },
            get outputs() {
              return keepsOutputs ? kept.slice(keptInputCount) : refuseKept(op.name, 'outputs');
            },
          },
        );
        checkGradients(op.name, results, shapes);
        return results.map((result) => result && handleOn(result));
      }),
  };
}

function refuseKept(name: string, list: 'inputs' | 'outputs'): never {
  throw new CrossmapError(
    'ERR_ARGUMENT',
    `${name}: backward reads ${list}, which keeps.${list} says it does not`,
  );
}

function checkGradients(
  name: string,
  gradients: readonly (Tensor | undefined)[],
  shapes: readonly (readonly number[])[],
): void {
  if (gradients.length !== shapes.length)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `${name}: backward must give a gradient or undefined for each of the ${shapes.length} inputs; got ${gradients.length}`,
    );
  for (const [index, gradient] of gradients.entries()) {
    if (gradient === undefined) continue;
    const expected = `[${shapes[index]?.join(', ')}]`;
    const got = `[${gradient.shape.join(', ')}]`;
    if (got !== expected)
      throw new CrossmapError(
        'ERR_SHAPE',
        `${name}: the gradient of input ${index} must be ${expected} to match it; got ${got}`,
      );
    if (!isFloatDType(gradient.dtype))
      throw new CrossmapError(
        'ERR_DTYPE',
        `${name}: the gradient of input ${index} must be float32, bfloat16 or float16; got ${gradient.dtype}`,
      );
  }
}
