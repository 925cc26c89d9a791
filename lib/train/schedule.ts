/** The learning rate of each step. */
import type {Config} from '../config/index.js';

/** The options that decide the course of the learning rate. */
export type LearningRateOptions = Pick<
  Config['training'],
  'steps' | 'warmupSteps' | 'schedule' | 'learningRate' | 'minLearningRateRatio' | 'decayShare'
>;

/**
 * The learning rate of a step: it rises linearly over the warm-up, reaching its highest at the last step of it, then takes the course
 * of the schedule. `cosine` falls along half a wave to the lowest rate at the last step; `wsd` stays and falls linearly over the last
 * `decayShare` of the steps; `constant` stays.
 *
 * @param step from 1; steps beyond `training.steps` have the rate of the last one
 * @see Hu et al. 2024, arXiv:2404.06395, for `wsd`
 */
export function learningRateAt(step: number, options: LearningRateOptions): number {
  const {warmupSteps, learningRate, minLearningRateRatio} = options;
  if (step <= warmupSteps) return (learningRate * step) / warmupSteps;
  const height = courses[options.schedule](step, options);
  return learningRate * (minLearningRateRatio + (1 - minLearningRateRatio) * height);
}

/** Height of the curve after the warm-up: 1 is the highest rate, 0 the lowest. */
type Course = (step: number, options: LearningRateOptions) => number;

const courses: Readonly<Record<LearningRateOptions['schedule'], Course>> = {
  cosine: (step, {steps, warmupSteps}) =>
    (1 + Math.cos(Math.PI * progress(step, {from: warmupSteps, to: steps}))) / 2,
  wsd: (step, {steps, decayShare}) => 1 - progress(step, {from: steps - decayShare * steps, to: steps}),
  constant: () => 1,
};

/** Share of the way from one step to another, 0 to 1. */
function progress(step: number, {from, to}: {readonly from: number; readonly to: number}): number {
  if (step <= from) return 0;
  return step >= to ? 1 : (step - from) / (to - from);
}
