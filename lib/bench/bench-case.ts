/** What a bench on the emulator runs. */
import {backward, record, requireGradient} from '../autograd/index.js';
import type {Device, Tensor} from '../tensor/index.js';
import type {Passes, Work} from './work.js';

/** A part of an op that is counted by itself. */
export interface Stage {
  readonly name: 'backward' | 'forward' | 'step' | 'forward with gradients';
  readonly work: Work;
  /** Enqueues it. Stages run in their order, each once. */
  readonly run: () => unknown;
}

/** An op on a shape that is small enough for the emulator. */
export interface BenchCase {
  readonly op: string;
  /** Shape and dtype: `[256, 512] bfloat16`. */
  readonly shape: string;
  /** Makes the inputs, which is not counted. */
  readonly prepare: (device: Device) => readonly Stage[];
}

/** The stages of an op with a gradient: `forward` is recorded, and the gradient goes back from a seed like its result. */
export function bothPasses(work: Passes, forward: () => Tensor, seed: Tensor | undefined): readonly Stage[] {
  let result: Tensor | undefined;
  return [
    {
      name: 'forward',
      work: work.forward,
      run() {
        result = forward();
      },
    },
    {
      name: 'backward',
      work: work.backward,
      run() {
        if (result !== undefined) backward(result, seed);
      },
    },
  ];
}

/** An input whose gradient an op computes and nobody takes: a leaf would have it cast to float32, which is not the op's work. */
export function differentiable(x: Tensor): Tensor {
  const [input] = record('input', {
    inputs: [requireGradient(x)],
    outputs: [x.native.retain()],
    saved: [],
    takesAnyDType: true,
    backward: () => [],
  });
  return input;
}
