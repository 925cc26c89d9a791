/** A run put together from its events: what was rolled back by a continuation is left out. */
import type {
  CheckpointEvent,
  EndEvent,
  EvaluationEvent,
  ObjectiveLosses,
  StartEvent,
  StepEvent,
  TrainEvent,
  WarningEvent,
} from '../train/events.js';
import {finite, type Point} from './series.js';

export interface RunHistory {
  /** Of the last start or continuation; absent when its line was lost. */
  readonly start: StartEvent | undefined;
  readonly end: EndEvent | undefined;
  readonly steps: readonly StepEvent[];
  readonly evaluations: readonly EvaluationEvent[];
  readonly warnings: readonly WarningEvent[];
  readonly lastCheckpoint: CheckpointEvent | undefined;
  /** Last step that any event speaks of. */
  readonly lastStep: number;
  /** Tokens trained on. */
  readonly tokens: number;
  /** Training time over all continuations. */
  readonly seconds: number;
  readonly continuations: number;
}

export type Objective = keyof ObjectiveLosses;

export const objectiveNames: Readonly<Record<Objective, string>> = {
  next: 'Next token',
  mapping: 'Mapping',
  contrastive: 'Contrastive',
};

export const objectives: readonly Objective[] = ['next', 'mapping', 'contrastive'];

export function readHistory(events: readonly TrainEvent[]): RunHistory {
  let kept: TrainEvent[] = [];
  let seconds = 0;
  let continuations = 0;
  for (const event of events) {
    if (event.type === 'start' && event.resumedFrom > 0) {
      continuations++;
      seconds += lastSeconds(kept);
      kept = kept.filter((past) => past.type !== 'end' && 'step' in past && past.step <= event.resumedFrom);
    }
    kept.push(event);
  }
  const of = <T extends TrainEvent['type']>(type: T): Extract<TrainEvent, {type: T}>[] =>
    kept.filter((event): event is Extract<TrainEvent, {type: T}> => event.type === type);
  const steps = of('step');
  return {
    start: of('start').at(-1),
    end: of('end').at(-1),
    steps,
    evaluations: of('evaluation'),
    warnings: of('warning'),
    lastCheckpoint: of('checkpoint').at(-1),
    lastStep: kept.reduce((last, event) => ('step' in event ? Math.max(last, event.step) : last), 0),
    tokens: steps.reduce((sum, {tokens}) => sum + tokens, 0),
    seconds: seconds + lastSeconds(kept),
    continuations,
  };
}

/** Time since the latest start; the steps before it counted from another. */
function lastSeconds(events: readonly TrainEvent[]): number {
  const latest = events.slice(events.findLastIndex(({type}) => type === 'start') + 1);
  return latest.reduce(
    (last, event) => (event.type === 'step' || event.type === 'end' ? Math.max(last, event.seconds) : last),
    0,
  );
}

/** Loss of an objective at each step that trained it. */
export function lossCurve({steps}: RunHistory, objective: Objective): Point[] {
  return finite(steps.map(({step, losses}) => ({x: step, y: losses[objective] ?? NaN})));
}

/** A value at the start of a run and now. */
export interface Change {
  readonly first: number | undefined;
  readonly now: number;
}

/** Steps that a loss of now is averaged over: single steps are noisy. */
export const recentSteps = 20;

/** First value against the mean of the last tenth, of at most `recentSteps` steps; `undefined` without a value. */
export function lossChange(points: readonly Point[]): Change | undefined {
  if (points.length === 0) return undefined;
  const recent = points.slice(-Math.max(1, Math.min(recentSteps, Math.floor(points.length / 10))));
  const now = recent.reduce((sum, {y}) => sum + y, 0) / recent.length;
  return {first: points.length > 1 ? points[0]?.y : undefined, now};
}

/** A value of one language, or pair, over the evaluations. */
export interface Track {
  readonly key: string;
  readonly points: readonly Point[];
}

/** First against last point of a track. */
export function trackChange(track: Track | undefined): Change {
  const points = track?.points ?? [];
  return {first: points.length > 1 ? points[0]?.y : undefined, now: points.at(-1)?.y ?? NaN};
}

/** Mean of `first` and of `now`; `first` only if all have one. */
export function meanChange(changes: readonly Change[]): Change | undefined {
  if (changes.length === 0) return undefined;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const firsts = changes.flatMap(({first}) => (first === undefined ? [] : [first]));
  return {
    first: firsts.length === changes.length ? mean(firsts) : undefined,
    now: mean(changes.map(({now}) => now)),
  };
}
