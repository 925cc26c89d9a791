/** Models compared on the same suite: groups of runs that differ by their seed alone, against the first group. */
import {CrossmapError} from '../../errors.js';
import {centralInterval, type Interval} from '../bootstrap.js';
import {anyNumber} from '../intervals.js';
import {measuresOf, type Measure} from './measures.js';
import type {SuiteResults, TaskResult} from './results.js';

/** Runs of one kind. */
export interface RunGroup {
  /** As the page shows it. */
  readonly name: string;
  /** One for each seed. */
  readonly results: readonly SuiteResults[];
}

/** What a group has in one measure. */
export interface GroupValues {
  /** Of the group. */
  readonly name: string;
  /** [runs] */
  readonly values: readonly number[];
  /** Over the runs. */
  readonly mean: number;
  /** Lowest and highest over the runs. */
  readonly range: Interval;
  /** Against the first group; absent for the first group itself, and for scores by another encoder than that of the first group. */
  readonly difference?: Difference;
}

/** How a group differs from the first one. */
export interface Difference {
  /** Of the means. */
  readonly mean: number;
  /** [runs] 95 % interval of the difference of each run to the run of the first group in its place, items drawn again. */
  readonly intervals: readonly Interval[];
  /**
   * `better` and `worse` only where there are two runs or more, all of them leave 0 out, and on the same side: one seed is no evidence.
   */
  readonly verdict: 'better' | 'worse' | 'undecided';
}

/** One measure of one task, or of the mean over several. */
export interface Comparison {
  /** Name of the task; `translation, mean of 6` where it is the mean over tasks of a kind. */
  readonly task: string;
  /** `bits per byte`, `BLEU`, `LAC`, ... */
  readonly measure: string;
  /** Which values are the better ones. */
  readonly better: 'lower' | 'higher';
  /** Where guessing would be; absent where there is none. */
  readonly chance?: number;
  /** Whether it is one of those that were declared to decide: the mean over the tasks of a kind, or the task that is alone. */
  readonly primary: boolean;
  /** In the order given. */
  readonly groups: readonly GroupValues[];
}

/** Digits behind the point that a measure is read with: two of scores of translations, three of all else. */
export function digitsOf(measure: string): number {
  return measure.startsWith('BLEU') || measure.startsWith('chrF') ? 2 : 3;
}

/** LAC over the hidden states, of one alignment task. */
export interface Profile {
  /** Name of the task. */
  readonly task: string;
  /** LAC of each group at each hidden state. */
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
  /** Primary measures first, in the order in which the suite of the first group declares them; then means over tasks; then tasks. */
  readonly comparisons: readonly Comparison[];
  /** One for each alignment task. */
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
    comparisons: placesOf(tasks, first.results[0]?.primary ?? []).map((place) => compare(groups, place)),
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

interface Place {
  /** Name of the task, or of several whose mean is taken. */
  readonly task: string;
  /** Their places in the suite. */
  readonly indices: readonly number[];
  readonly measure: Measure;
  readonly primary: boolean;
}

/** Each measure of each task, before them the mean of each measure that several tasks of a kind have, and before all the primary ones. */
function placesOf(tasks: readonly TaskResult[], primary: readonly string[]): Place[] {
  const single = tasks.flatMap((task, index) =>
    measuresOf(task).map((measure): Place => ({task: task.name, indices: [index], measure, primary: false})),
  );
  const typeOf = ({indices: [index = 0]}: Place): string => tasks[index]?.type ?? '';
  const kinds = new Map<string, Place[]>();
  for (const place of single) {
    const kind = `${typeOf(place)} ${place.measure.name}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), place]);
  }
  // A task that is alone stands for its kind itself.
  const summaries = [...kinds.values()].flatMap(([first, ...others]): Place[] => {
    if (first === undefined) return [];
    if (others.length === 0) return [first];
    const task = `${typeOf(first)}, mean of ${others.length + 1}`;
    return [{...first, task, indices: [first, ...others].flatMap(({indices}) => indices)}];
  });
  const rank = ({measure}: Place): number => primary.indexOf(measure.id);
  const deciding = summaries.filter((place) => rank(place) >= 0).sort((a, b) => rank(a) - rank(b));
  const means = summaries.filter((place) => rank(place) < 0 && place.indices.length > 1);
  const others = single.filter((place) => !deciding.includes(place));
  return [...deciding.map((place) => ({...place, primary: true})), ...means, ...others];
}

function compare(groups: readonly RunGroup[], {task, indices, measure, primary}: Place): Comparison {
  const {name, better, chance} = measure;
  const valueOf = ({tasks}: SuiteResults): number =>
    meanOf(indices.map((index) => measure.valueOf(taskAt(tasks, index))));
  const [first] = groups;
  const baseline = first?.results ?? [];
  const baselineMean = meanOf(baseline.map(valueOf));
  return {
    task,
    measure: name,
    better,
    ...(chance !== undefined && {chance}),
    primary,
    groups: groups.map((group): GroupValues => {
      const values = group.results.map(valueOf);
      const mean = meanOf(values);
      const range = [Math.min(...values), Math.max(...values)] as const;
      if (group === first) return {name: group.name, values, mean, range};
      const intervals = group.results.flatMap((results, run) => {
        const other = baseline[run];
        return other === undefined ? [] : [differenceInterval(other, results, {indices, measure})];
      });
      if (!intervals.every((interval) => interval !== undefined))
        return {name: group.name, values, mean, range};
      const difference = {mean: mean - baselineMean, intervals, verdict: verdictOf(intervals, better)};
      return {name: group.name, values, mean, range, difference};
    }),
  };
}

/** Of the mean over the tasks; items that tasks share, as both directions of a pair do, are drawn together. */
function differenceInterval(
  first: SuiteResults,
  second: SuiteResults,
  {indices, measure}: Pick<Place, 'indices' | 'measure'>,
): Interval | undefined {
  const draws = indices.map((index) =>
    measure.drawsOf(taskAt(first.tasks, index), taskAt(second.tasks, index), first.draws),
  );
  if (!draws.every((each) => each !== undefined)) return undefined;
  const means = Float64Array.from(draws[0] ?? [], (_, draw) => meanOf(draws.map((each) => each[draw] ?? 0)));
  return centralInterval(means, anyNumber);
}

function taskAt(tasks: readonly TaskResult[], index: number): TaskResult {
  const task = tasks[index];
  if (task === undefined) throw new CrossmapError('ERR_INTERNAL', `there is no result of task ${index}`);
  return task;
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
