/** A run put together from its events, in bounded memory: what was rolled back by a continuation is left out. */
import type {
  CheckpointEvent,
  EndEvent,
  EvaluationEvent,
  StartEvent,
  StepEvent,
  TrainEvent,
  WarningEvent,
} from '../train/events.js';
import type {Objective} from './objective.js';
import {finite, type Point} from './series.js';
import {createStepKeeper, type KeptSteps} from './steps.js';

export interface RunHistory extends KeptSteps {
  /** Of the last start or continuation; absent when its line was lost. */
  readonly start: StartEvent | undefined;
  readonly end: EndEvent | undefined;
  /** All of them, or in a run with very many the first, the last and some between. */
  readonly evaluations: readonly EvaluationEvent[];
  /** The latest ones. */
  readonly warnings: readonly WarningEvent[];
  readonly warningCount: number;
  readonly lastCheckpoint: CheckpointEvent | undefined;
  /** Last step that any event speaks of. */
  readonly lastStep: number;
  /** Training time over all continuations. */
  readonly seconds: number;
  readonly continuations: number;
}

/** Puts a history together while events come. */
interface HistoryBuilder {
  note(event: TrainEvent): void;
  history(): RunHistory;
}

/** More than a chart has points for. */
const mostEvaluations = 400;

/** More than a page shows. */
const mostWarnings = 100;

/** What events leave, curves aside. */
type Scalars = Omit<RunHistory, keyof KeptSteps>;

const nothing: Scalars = {
  start: undefined,
  end: undefined,
  evaluations: [],
  warnings: [],
  warningCount: 0,
  lastCheckpoint: undefined,
  lastStep: 0,
  seconds: 0,
  continuations: 0,
};

export function createHistory(): HistoryBuilder {
  let steps = createStepKeeper();
  let scalars = nothing;
  let secondsBefore = 0; // of the parts of the run before the present one
  const start = (event: StartEvent): void => {
    if (event.resumedFrom > 0) {
      secondsBefore = scalars.seconds;
      steps.rollBack(event.resumedFrom);
      scalars = {...rolledBack(scalars, event.resumedFrom), start: event};
      return;
    }
    secondsBefore = 0;
    steps = createStepKeeper();
    scalars = {...nothing, start: event};
  };
  return {
    note(event) {
      if (event.type === 'start') {
        start(event);
        return;
      }
      if (event.type === 'step') steps.note(event);
      scalars = noted(scalars, event, secondsBefore);
    },
    history: () => ({...scalars, ...steps.kept()}),
  };
}

export function readHistory(events: Iterable<TrainEvent>): RunHistory {
  const builder = createHistory();
  for (const event of events) builder.note(event);
  return builder.history();
}

function rolledBack(scalars: Scalars, toStep: number): Scalars {
  const isKept = ({step}: {readonly step: number}): boolean => step <= toStep;
  const warnings = scalars.warnings.filter(isKept);
  const {lastCheckpoint} = scalars;
  return {
    ...scalars,
    end: undefined,
    evaluations: scalars.evaluations.filter(isKept),
    warnings,
    warningCount: scalars.warningCount - (scalars.warnings.length - warnings.length),
    lastCheckpoint: lastCheckpoint && isKept(lastCheckpoint) ? lastCheckpoint : undefined,
    lastStep: Math.min(scalars.lastStep, toStep),
    continuations: scalars.continuations + 1,
  };
}

function noted(before: Scalars, event: Exclude<TrainEvent, StartEvent>, secondsBefore: number): Scalars {
  const scalars = {...before, lastStep: Math.max(before.lastStep, event.step)};
  const seconds = (now: StepEvent | EndEvent): number =>
    Math.max(before.seconds, secondsBefore + now.seconds);
  if (event.type === 'step') return {...scalars, seconds: seconds(event)};
  if (event.type === 'end') return {...scalars, end: event, seconds: seconds(event)};
  if (event.type === 'checkpoint') return {...scalars, lastCheckpoint: event};
  if (event.type === 'evaluation') return {...scalars, evaluations: bounded([...before.evaluations, event])};
  return {
    ...scalars,
    warnings: [...before.warnings, event].slice(-mostWarnings),
    warningCount: before.warningCount + 1,
  };
}

/** Once there are too many, every second goes; the first and the last stay. */
function bounded(evaluations: readonly EvaluationEvent[]): readonly EvaluationEvent[] {
  if (evaluations.length <= mostEvaluations) return evaluations;
  return evaluations.filter((_, i) => i % 2 === 0 || i === evaluations.length - 1);
}

/** Loss of an objective at each step that trained it. @param steps default those that means are taken from */
export function lossCurve(history: RunHistory, objective: Objective, steps = history.steps): Point[] {
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
