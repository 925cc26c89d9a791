/** The steps of a run of any length in bounded memory: old ones are joined to stretches, and what sticks out of them is kept. */
import type {ObjectiveLosses, StepEvent} from '../train/events.js';
import {objectives} from './objective.js';

/** The steps of a run as curves are made from them. */
export interface KeptSteps {
  /** Each step; in a long run, means of `stepsEach` steps but for the latest ones. */
  readonly steps: readonly StepEvent[];
  /** The steps that a curve of every step shows: those that stick out stand for the others of a stretch. */
  readonly drawn: readonly StepEvent[];
  /** Steps that an old one of `steps` is the mean of: 1 in a run of up to `mostStretches` steps. */
  readonly stepsEach: number;
  /** Tokens trained on. */
  readonly tokens: number;
}

/** Takes steps in their order. */
interface StepKeeper {
  note(step: StepEvent): void;
  /** Forgets what came after a step: a run goes on from there. */
  rollBack(toStep: number): void;
  kept(): KeptSteps;
}

/** Consecutive steps. */
interface Stretch {
  readonly first: number;
  readonly steps: number;
  readonly mean: StepEvent;
  /** Those with the least and the largest of a value that is drawn step by step. */
  readonly extremes: readonly StepEvent[];
}

/** More than a chart has points for each step. */
const mostStretches = 1024;

/** Latest steps, which stay as they are: what a run does now is read off these. */
const mostRecent = 64;

export function createStepKeeper(): StepKeeper {
  let stretches: Stretch[] = [];
  let recent: StepEvent[] = [];
  let stepsEach = 1;
  return {
    note(step) {
      recent.push(step);
      if (recent.length < mostRecent + stepsEach) return;
      const [first, ...others] = recent.splice(0, stepsEach).map(stretchOf);
      if (first) stretches.push(others.reduce(joined, first));
      if (stretches.length <= mostStretches) return;
      stretches = stretches.flatMap((stretch, i) => {
        const next = stretches[i + 1];
        return i % 2 === 1 ? [] : next ? joined(stretch, next) : stretch;
      });
      stepsEach *= 2;
    },
    rollBack(toStep) {
      recent = recent.filter(({step}) => step <= toStep);
      stretches = stretches.flatMap((stretch) => upTo(stretch, toStep) ?? []);
    },
    kept: () => ({
      steps: [...stretches.map(({mean}) => mean), ...recent],
      drawn: [...stretches.flatMap(({extremes}) => extremes), ...recent],
      stepsEach,
      tokens: Math.round(
        stretches.reduce((sum, {mean, steps}) => sum + mean.tokens * steps, 0) +
          recent.reduce((sum, {tokens}) => sum + tokens, 0),
      ),
    }),
  };
}

function stretchOf(step: StepEvent): Stretch {
  return {first: step.step, steps: 1, mean: step, extremes: [step]};
}

function joined(a: Stretch, b: Stretch): Stretch {
  const steps = a.steps + b.steps;
  const mean = meanOf(a.mean, b.mean, b.steps / steps);
  return {first: a.first, steps, mean, extremes: extremesOf([...a.extremes, ...b.extremes])};
}

/** The steps that are rolled back are run again to the same values, bit for bit: the mean stays right. */
function upTo(stretch: Stretch, toStep: number): Stretch | undefined {
  const {first, steps, mean, extremes} = stretch;
  if (first > toStep) return undefined;
  const left = Math.min(steps, toStep - first + 1);
  if (left === steps) return stretch;
  return {
    first,
    steps: left,
    mean: {...mean, step: Math.min(mean.step, toStep)},
    extremes: extremes.filter(({step}) => step <= toStep),
  };
}

/** @param share of the mean that is `b`'s */
function meanOf(a: StepEvent, b: StepEvent, share: number): StepEvent {
  const between = (x: number, y: number): number => meanNumber(x, y, share);
  return {
    ...b,
    step: Math.round(between(a.step, b.step)),
    loss: between(a.loss, b.loss),
    losses: meanLosses(a.losses, b.losses, share),
    learningRate: between(a.learningRate, b.learningRate),
    gradientNorm: between(a.gradientNorm, b.gradientNorm),
    ...((a.gradientNorms ?? b.gradientNorms) && {
      gradientNorms: meanLosses(a.gradientNorms ?? {}, b.gradientNorms ?? {}, share),
    }),
    tokens: between(a.tokens, b.tokens),
    tokensPerSecond: between(a.tokensPerSecond, b.tokensPerSecond),
  };
}

function meanLosses(a: ObjectiveLosses, b: ObjectiveLosses, share: number): ObjectiveLosses {
  return Object.fromEntries(
    objectives.flatMap((name) => {
      const [x = NaN, y = NaN] = [a[name], b[name]];
      return a[name] === undefined && b[name] === undefined ? [] : [[name, meanNumber(x, y, share)]];
    }),
  );
}

/** Of two values one of which is not finite, the other. */
function meanNumber(x: number, y: number, share: number): number {
  if (!Number.isFinite(y)) return x;
  return Number.isFinite(x) ? x + share * (y - x) : y;
}

/** What curves show step by step. */
const spiky: readonly ((step: StepEvent) => number | undefined)[] = [
  ...objectives.map((name) => (step: StepEvent) => step.losses[name]),
  ({gradientNorm}) => gradientNorm,
  ({tokensPerSecond}) => tokensPerSecond,
];

function extremesOf(steps: readonly StepEvent[]): StepEvent[] {
  const kept = new Set<StepEvent>();
  for (const read of spiky) {
    const known = steps.filter((step) => Number.isFinite(read(step)));
    const by = (better: (x: number, y: number) => boolean): StepEvent | undefined =>
      known.reduce<StepEvent | undefined>(
        (best, step) => (best === undefined || better(read(step) ?? 0, read(best) ?? 0) ? step : best),
        undefined,
      );
    for (const extreme of [by((x, y) => x < y), by((x, y) => x > y)]) if (extreme) kept.add(extreme);
  }
  return [...kept].sort((a, b) => a.step - b.step);
}
