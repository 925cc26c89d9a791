/** What a run has gained: each score at its end against its start. */
import type {EvaluationEvent, StepEvent, TrainEvent} from '../train/events.js';
import {mean, objectiveNames} from './describe-event.js';
import {fixed} from './format.js';
import {table} from './table.js';

/** Steps whose mean is the loss at the end: one step alone is noisy. */
const lastSteps = 10;

/** Collects the events of a run. */
interface RunSummary {
  readonly note: (event: TrainEvent) => void;
  /** A table; empty before anything was measured. */
  readonly lines: () => string[];
}

interface Row {
  readonly title: string;
  readonly start: number | undefined;
  readonly end: number | undefined;
}

export function summarizeRun(): RunSummary {
  let firstStep: StepEvent | undefined;
  let recentSteps: readonly StepEvent[] = [];
  let first: EvaluationEvent | undefined;
  let last: EvaluationEvent | undefined;
  return {
    note: (event) => {
      if (event.type === 'step') {
        firstStep ??= event;
        recentSteps = [...recentSteps, event].slice(-lastSteps);
      }
      if (event.type === 'evaluation') {
        if (first === undefined) first = event;
        else last = event; // one evaluation alone has nothing to be set against
      }
    },
    lines: () => lines([...lossRows(firstStep, recentSteps), ...scoreRows(first, last)]),
  };
}

function lossRows(firstStep: StepEvent | undefined, recentSteps: readonly StepEvent[]): Row[] {
  return objectiveNames.map((name) => ({
    title: `loss ${name}`,
    start: firstStep?.losses[name],
    end: mean(recentSteps.flatMap(({losses}) => losses[name] ?? [])),
  }));
}

function scoreRows(first: EvaluationEvent | undefined, last: EvaluationEvent | undefined): Row[] {
  const row = (title: string, score: (event: EvaluationEvent) => readonly number[]): Row => ({
    title,
    start: first && mean(score(first)),
    end: last && mean(score(last)),
  });
  return [
    row('bits per byte, mean over languages', ({perplexity}) =>
      perplexity.map(({bitsPerByte}) => bitsPerByte),
    ),
    row('LAC (crossmap definition), mean over pairs', ({alignment}) => alignment.map(({lac}) => lac)),
    row('retrieval P@1, mean over pairs and layers', ({alignment}) =>
      alignment.flatMap(({precisionAt1}) => precisionAt1.slice(1).flat()),
    ),
  ];
}

function lines(rows: readonly Row[]): string[] {
  const known = rows.filter(({start, end}) => start !== undefined && end !== undefined);
  if (known.length === 0) return [];
  return table(
    ['', 'start', 'end'],
    known.map(({title, start = NaN, end = NaN}) => [title, fixed(start, 4), fixed(end, 4)]),
  );
}
