/** AdamW over the parameters of a run, with clipping by the global norm. */
import {noGrad} from '../autograd/index.js';
import type {Config} from '../config/index.js';
import type {Parameter} from '../nn/index.js';
import {adamw, cast, clipScale, globalNorm} from '../ops/index.js';
import {scope, zeros, type Tensor} from '../tensor/index.js';
import type {NamedTensors} from './tensor-files.js';

/** The options that AdamW and clipping read. */
export type OptimizerOptions = Pick<
  Config['training'],
  'beta1' | 'beta2' | 'eps' | 'weightDecay' | 'clipNorm'
>;

/** [parameters] float32, each in the shape of its parameter; undefined where no gradient reached it. */
export type Gradients = readonly (Tensor | undefined)[];

/** How one update is made. */
export interface UpdateOptions {
  /** Of each parameter, before clipping. */
  readonly gradients: Gradients;
  /** Updates done with this one, from 1. */
  readonly step: number;
  /** Of this update, 0 or more. */
  readonly learningRate: number;
  /** float32 [] global norm of the gradients, from `gradientNorm`. */
  readonly norm: Tensor;
}

/**
 * AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101). Moments are float32, and so are the master copies that parameters in half
 * precision have: a small update would vanish in their few bits.
 */
export interface Optimizer {
  /** Moments and masters, for checkpoints: `firstMoment.<name>`, `secondMoment.<name>`, `master.<name>`. */
  readonly state: NamedTensors;
  /** float32 [] norm of all gradients together, before clipping; enqueued, not waited for. */
  gradientNorm(gradients: Gradients): Tensor;
  /** Clips the gradients and applies them. A parameter that no gradient reached is updated as if it were 0. Enqueued, not waited for. */
  update(options: UpdateOptions): void;
  /** Frees moments and masters; the parameters stay. */
  dispose(): void;
}

/** What is kept for one parameter. */
interface Slot {
  readonly parameter: Parameter;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
  /** Absent where the parameter itself is float32. */
  readonly master: Tensor | undefined;
}

/** An optimizer whose moments are 0 and whose masters are the parameters as they are now. @throws ERR_OUT_OF_MEMORY */
export function createOptimizer(parameters: readonly Parameter[], options: OptimizerOptions): Optimizer {
  const slots = parameters.map(createSlot);
  return {
    state: new Map(slots.flatMap(namedState)),
    gradientNorm: (gradients) => noGrad(() => globalNorm(gradients.flatMap((each) => each ?? []))),
    update: (update) => scope(() => noGrad(() => updateAll(slots, options, update))),
    dispose() {
      for (const slot of slots) for (const [, tensor] of namedState(slot)) tensor.dispose();
    },
  };
}

function createSlot(parameter: Parameter): Slot {
  const {shape, dtype, device} = parameter.tensor;
  return {
    parameter,
    firstMoment: zeros(shape, {device}),
    secondMoment: zeros(shape, {device}),
    master: dtype === 'float32' ? undefined : noGrad(() => cast(parameter.tensor, 'float32')),
  };
}

function namedState({parameter: {name}, firstMoment, secondMoment, master}: Slot): [string, Tensor][] {
  return [
    [`firstMoment.${name}`, firstMoment],
    [`secondMoment.${name}`, secondMoment],
    ...(master === undefined ? [] : [[`master.${name}`, master] satisfies [string, Tensor]]),
  ];
}

function updateAll(
  slots: readonly Slot[],
  {beta1, beta2, eps, weightDecay, clipNorm}: OptimizerOptions,
  {gradients, step, learningRate, norm}: UpdateOptions,
): void {
  adamw({
    parameters: slots.map(({parameter}) => parameter.tensor),
    gradients: slots.map(
      ({parameter: {tensor}}, index) => gradients[index] ?? zeros(tensor.shape, {device: tensor.device}),
    ),
    masters: slots.map(({master}) => master),
    firstMoments: slots.map(({firstMoment}) => firstMoment),
    secondMoments: slots.map(({secondMoment}) => secondMoment),
    weightDecays: slots.map(({parameter}) => (parameter.decays ? weightDecay : 0)),
    learningRate,
    beta1,
    beta2,
    eps,
    step,
    ...(clipNorm !== 'off' && {gradientScale: clipScale(norm, clipNorm)}),
  });
}
