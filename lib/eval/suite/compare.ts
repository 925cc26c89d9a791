/** Models compared on the same suite: groups of runs that differ by their seed alone, against the first group. */
import {CrossmapError} from '../../errors.js';
import {centralInterval, type Interval} from '../bootstrap.js';
import {compareScores, type Translated} from '../text-metric.js';
import {pairedInterval} from './intervals.js';
import type {ResultOf, SuiteResults, TaskResult} from './results.js';
import {textMetric} from './text-metrics.js';

/** Runs of one kind. */
export interface RunGroup {
  readonly name: string;
  /** One for each seed. */
  readonly results: readonly SuiteResults[];
}

/** What a group has in one measure. */
export interface GroupValues {
  readonly name: string;
  /** [runs] */
  readonly values: readonly number[];
  readonly mean: number;
  /** Lowest and highest over the runs. */
  readonly range: Interval;
  /** Against the first group; absent for the first group itself. */
  readonly difference?: Difference;
}

/** How a group differs from the first one. */
interface Difference {
  /** Of the means. */
  readonly mean: number;
  /** [runs] 95 % interval of the difference of each run to the run of the first group in its place, items drawn again. */
  readonly intervals: readonly Interval[];
  /**
   * `better` and `worse` only where there are two runs or more, all of them leave 0 out, and on the same side: one seed is no evidence.
   */
  readonly verdict: 'better' | 'worse' | 'undecided';
}

/** One measure of one task. */
export interface Comparison {
  /** Name of the task. */
  readonly task: string;
  /** `bits per byte`, `BLEU`, `LAC`, ... */
  readonly measure: string;
  readonly better: 'lower' | 'higher';
  /** Where guessing would be; absent where there is none. */
  readonly chance?: number;
  readonly groups: readonly GroupValues[];
}

/** Digits behind the point that a measure is read with: two of scores of translations, three of all else. */
export function digitsOf({measure}: Comparison): number {
  return measure.startsWith('BLEU') || measure.startsWith('chrF') ? 2 : 3;
}

/** LAC over the hidden states, of one alignment task. */
export interface Profile {
  readonly task: string;
  readonly groups: readonly {
    readonly name: string;
    /** [hidden states] mean over the runs. */
    readonly mean: readonly number[];
    /** [hidden states] mean over the runs of both ends of the 95 % intervals. */
    readonly interval: readonly Interval[];
    /** [runs][hidden states] */
    readonly runs: readonly (readonly number[])[];
  }[];
}

/** All measures of all tasks. */
export interface SuiteComparison {
  readonly comparisons: readonly Comparison[];
  readonly profiles: readonly Profile[];
}

/**
 * Compares groups on the tasks of their suite. The n-th run of a group is compared with the n-th of the first group.
 *
 * @throws ERR_ARGUMENT for fewer than one group, groups without a run, and results of other tasks or items
 */
export function compareSuites(groups: readonly RunGroup[]): SuiteComparison {
  const [first] = groups;
  const tasks = first?.results[0]?.tasks;
  if (first === undefined || tasks === undefined)
    throw new CrossmapError('ERR_ARGUMENT', 'compareSuites: there must be a group with results');
  for (const {name, results} of groups) checkGroup(name, results, tasks);
  return {
    comparisons: tasks.flatMap((task, index) =>
      measuresOf(task).map((measure) => compare(groups, {task: task.name, index, measure})),
    ),
    profiles: tasks.flatMap((task, index) =>
      task.type === 'alignment' ? [profile(groups, task.name, index)] : [],
    ),
  };
}

function checkGroup(name: string, results: readonly SuiteResults[], tasks: readonly TaskResult[]): void {
  if (results.length === 0) throw new CrossmapError('ERR_ARGUMENT', `compareSuites: ${name} has no results`);
  for (const {model, tasks: own} of results)
    for (let index = 0; index < Math.max(tasks.length, own.length); index++) {
      const [wanted, found] = [tasks[index], own[index]];
      if (
        wanted === undefined ||
        found === undefined ||
        wanted.type !== found.type ||
        wanted.items !== found.items
      )
        throw new CrossmapError(
          'ERR_ARGUMENT',
          `compareSuites: ${name} (${model}) was measured on other items: its task ${index} is ${found?.name ?? 'none'}, ` +
            `where the first group has ${wanted?.name ?? 'none'}; run crossmap eval --suite anew`,
        );
    }
}

/** A number that a result has, and how it differs between two results on the same items. */
interface Measure {
  readonly name: string;
  readonly better: 'lower' | 'higher';
  readonly chance?: number;
  valueOf(result: TaskResult): number;
  /** 95 % interval of the second less the first. */
  intervalOf(first: TaskResult, second: TaskResult, settings: SuiteResults['draws']): Interval;
}

function measuresOf(task: TaskResult): Measure[] {
  if (task.type === 'perplexity') return [bitsPerByte];
  if (task.type === 'translation') return task.scores.map(translationScore);
  if (task.type === 'alignment') return [lac];
  if (task.type === 'questions') return [f1];
  return [accuracy(task)];
}

const bitsPerByte: Measure = {
  name: 'bits per byte',
  better: 'lower',
  valueOf: (result) => ofType(result, 'perplexity').bitsPerByte,
  intervalOf: (first, second, settings) =>
    pairedInterval([ofType(first, 'perplexity').documents, ofType(second, 'perplexity').documents], settings),
};

const lac: Measure = {
  name: 'LAC (crossmap definition)',
  better: 'higher',
  chance: 0,
  valueOf: (result) => ofType(result, 'alignment').alignment.lac,
  intervalOf(first, second) {
    const [a, b] = [ofType(first, 'alignment'), ofType(second, 'alignment')];
    return centralInterval(
      Float64Array.from(b.draws, (value, draw) => value - (a.draws[draw] ?? 0)),
      [-2, 2],
    );
  },
};

const f1: Measure = {
  name: 'F1',
  better: 'higher',
  valueOf: (result) => ofType(result, 'questions').f1,
  intervalOf: (first, second, settings) =>
    pairedInterval(
      [asItems(ofType(first, 'questions').f1s), asItems(ofType(second, 'questions').f1s)],
      settings,
    ),
};

function accuracy({type, chance}: ResultOf<'choice'> | ResultOf<'translationChoice'>): Measure {
  const correctOf = (result: TaskResult): [number, number][] =>
    asItems(ofType(result, type).correct.map(Number));
  return {
    name: 'acc',
    better: 'higher',
    chance,
    valueOf: (result) => ofType(result, type).acc,
    intervalOf: (first, second, settings) => pairedInterval([correctOf(first), correctOf(second)], settings),
  };
}

function translationScore({metric, name}: ResultOf<'translation'>['scores'][number]): Measure {
  return {
    name,
    better: 'higher',
    valueOf: (result) =>
      ofType(result, 'translation').scores.find((score) => score.metric === metric)?.score ?? NaN,
    intervalOf(first, second, settings) {
      const [a, b] = [ofType(first, 'translation'), ofType(second, 'translation')];
      const scorer = textMetric(metric, a.tokenizer);
      return compareScores(scorer, [translatedOf(a), translatedOf(b)], settings).interval;
    },
  };
}

function translatedOf({outputs, references}: ResultOf<'translation'>): Translated[] {
  return outputs.map((hypothesis, index) => ({hypothesis, references: [references[index] ?? '']}));
}

function asItems(values: readonly number[]): [number, number][] {
  return values.map((value) => [value, 1]);
}

function ofType<Type extends TaskResult['type']>(result: TaskResult, type: Type): ResultOf<Type> {
  if (isOfType(result, type)) return result;
  throw new CrossmapError('ERR_INTERNAL', `a result of ${result.type} is not one of ${type}`);
}

function isOfType<Type extends TaskResult['type']>(result: TaskResult, type: Type): result is ResultOf<Type> {
  return result.type === type;
}

interface Place {
  readonly task: string;
  readonly index: number;
  readonly measure: Measure;
}

function compare(groups: readonly RunGroup[], {task, index, measure}: Place): Comparison {
  const {name, better, chance} = measure;
  const resultsOf = ({results}: RunGroup): TaskResult[] => results.flatMap(({tasks}) => tasks[index] ?? []);
  const [first] = groups;
  const baseline = first ? resultsOf(first) : [];
  const settings = first?.results[0]?.draws ?? {draws: 1, seed: 0};
  const baselineMean = meanOf(baseline.map((result) => measure.valueOf(result)));
  return {
    task,
    measure: name,
    better,
    ...(chance !== undefined && {chance}),
    groups: groups.map((group): GroupValues => {
      const results = resultsOf(group);
      const values = results.map((result) => measure.valueOf(result));
      const mean = meanOf(values);
      const range = [Math.min(...values), Math.max(...values)] as const;
      if (group === first) return {name: group.name, values, mean, range};
      const intervals = results.flatMap((result, run) => {
        const other = baseline[run];
        return other === undefined ? [] : [measure.intervalOf(other, result, settings)];
      });
      const difference = {mean: mean - baselineMean, intervals, verdict: verdictOf(intervals, better)};
      return {name: group.name, values, mean, range, difference};
    }),
  };
}

function verdictOf(intervals: readonly Interval[], better: 'lower' | 'higher'): Difference['verdict'] {
  if (intervals.length < 2) return 'undecided';
  const isAbove = intervals.every(([low]) => low > 0);
  const isBelow = intervals.every(([, high]) => high < 0);
  if (!isAbove && !isBelow) return 'undecided';
  return isAbove === (better === 'higher') ? 'better' : 'worse';
}

function profile(groups: readonly RunGroup[], task: string, index: number): Profile {
  return {
    task,
    groups: groups.map(({name, results}) => {
      const alignments = results.flatMap(({tasks}) => {
        const result = tasks[index];
        return result?.type === 'alignment' ? [result.alignment] : [];
      });
      const runs = alignments.map(({lacByLayer}) => lacByLayer);
      const states = Array.from(runs[0] ?? [], (_, state) => state);
      const meanAt = (read: (run: number) => number | undefined): number =>
        meanOf(alignments.map((_, run) => read(run) ?? NaN));
      return {
        name,
        mean: states.map((state) => meanAt((run) => runs[run]?.[state])),
        interval: states.map((state): Interval => [
          meanAt((run) => alignments[run]?.intervalByLayer[state]?.[0]),
          meanAt((run) => alignments[run]?.intervalByLayer[state]?.[1]),
        ]),
        runs,
      };
    }),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
