/** What results of tasks are compared by. */
import type {MeasureName} from '../../config/index.js';
import {CrossmapError} from '../../errors.js';
import {differenceDraws, type Translated} from '../text-metric.js';
import {pairedDraws, pairedMeanDraws} from '../intervals.js';
import type {ResultOf, SuiteResults, SuiteScore, TaskResult} from './results.js';
import {isVectorMetric, textMetric} from './text-metrics.js';

/** A number that a result has, and how it differs between two results on the same items. */
export interface Measure {
  /** As `primary` of a suite has it. */
  readonly id: MeasureName;
  readonly name: string;
  readonly better: 'lower' | 'higher';
  readonly chance?: number;
  valueOf(result: TaskResult): number;
  /** [draws] the second less the first, items drawn again; nothing where the two cannot be compared. */
  drawsOf(first: TaskResult, second: TaskResult, settings: SuiteResults['draws']): Float64Array | undefined;
}

/** Those of a task. */
export function measuresOf(task: TaskResult): Measure[] {
  if (task.type === 'perplexity') return [bitsPerByte];
  if (task.type === 'translation') return task.scores.map(scoreMeasure);
  if (task.type === 'alignment') return [lac, ...(task.retrieval ? retrieval(task) : [])];
  if (task.type === 'questions') return questionMeasures(task);
  return [accuracy(task)];
}

const bitsPerByte: Measure = {
  id: 'bits-per-byte',
  name: 'bits per byte',
  better: 'lower',
  valueOf: (result) => ofType(result, 'perplexity').bitsPerByte,
  drawsOf: (first, second, settings) =>
    pairedDraws([ofType(first, 'perplexity').documents, ofType(second, 'perplexity').documents], settings),
};

const lac: Measure = {
  id: 'lac',
  name: 'LAC (crossmap definition)',
  better: 'higher',
  chance: 0,
  valueOf: (result) => ofType(result, 'alignment').alignment.lac,
  drawsOf(first, second) {
    const [a, b] = [ofType(first, 'alignment'), ofType(second, 'alignment')];
    return Float64Array.from(b.draws, (value, draw) => value - (a.draws[draw] ?? 0));
  },
};

/** Files of older versions have no exact match of each question. */
function questionMeasures({exactMatches, scores = []}: ResultOf<'questions'>): Measure[] {
  return [f1, ...(exactMatches ? [exactMatch] : []), ...scores.map(scoreMeasure)];
}

const f1: Measure = {
  id: 'f1',
  name: 'F1',
  better: 'higher',
  valueOf: (result) => ofType(result, 'questions').f1,
  drawsOf: (first, second, settings) =>
    pairedMeanDraws([ofType(first, 'questions').f1s, ofType(second, 'questions').f1s], settings),
};

const exactMatch: Measure = {
  id: 'exact-match',
  name: 'exact match',
  better: 'higher',
  valueOf: (result) => ofType(result, 'questions').exactMatch,
  drawsOf(first, second, settings) {
    const [a, b] = [ofType(first, 'questions').exactMatches, ofType(second, 'questions').exactMatches];
    return a && b && pairedMeanDraws([a.map(Number), b.map(Number)], settings);
  },
};

function accuracy({type, chance}: ResultOf<'choice'> | ResultOf<'translationChoice'>): Measure {
  const correctOf = (result: TaskResult): number[] => ofType(result, type).correct.map(Number);
  return {
    id: 'acc',
    name: 'acc',
    better: 'higher',
    chance,
    valueOf: (result) => ofType(result, type).acc,
    drawsOf: (first, second, settings) => pairedMeanDraws([correctOf(first), correctOf(second)], settings),
  };
}

/** From the sentences of each direction and layer, which share their draws. */
function retrieval({count}: ResultOf<'alignment'>): Measure[] {
  return [
    {
      id: 'p@1',
      name: 'P@1',
      better: 'higher',
      chance: 1 / count,
      valueOf: (result) => ofType(result, 'alignment').retrieval?.precisionAt1 ?? NaN,
      drawsOf: (first, second, settings) =>
        pairedMeanDraws([retrievedOf(first, 'precisions'), retrievedOf(second, 'precisions')], settings),
    },
    {
      id: 'margin-error',
      name: 'margin error',
      better: 'lower',
      chance: 1 - 1 / count,
      valueOf: (result) => ofType(result, 'alignment').retrieval?.marginError ?? NaN,
      drawsOf: (first, second, settings) =>
        pairedMeanDraws([retrievedOf(first, 'errors'), retrievedOf(second, 'errors')], settings),
    },
  ];
}

function retrievedOf(result: TaskResult, name: 'precisions' | 'errors'): readonly number[] {
  return ofType(result, 'alignment').retrieval?.[name] ?? [];
}

function scoreMeasure({metric, name}: SuiteScore): Measure {
  const scoreOf = (result: TaskResult): SuiteScore | undefined =>
    (result.type === 'questions' ? result.scores : ofType(result, 'translation').scores)?.find(
      (score) => score.name === name,
    );
  return {
    id: metric,
    name,
    better: 'higher',
    valueOf: (result) => scoreOf(result)?.score ?? NaN,
    drawsOf(first, second, settings) {
      if (isVectorMetric(metric)) {
        const [a, b] = [scoreOf(first), scoreOf(second)];
        // Vectors of another encoder are another scale: a difference would say nothing of the outputs.
        if (a?.values === undefined || b?.values === undefined || a.signature !== b.signature)
          return undefined;
        return pairedMeanDraws([a.values, b.values], settings);
      }
      const [a, b] = [ofType(first, 'translation'), ofType(second, 'translation')];
      const scorer = textMetric(metric, a.tokenizer);
      return Float64Array.from(differenceDraws(scorer, [translatedOf(a), translatedOf(b)], settings));
    },
  };
}

function translatedOf({outputs, references}: ResultOf<'translation'>): Translated[] {
  return outputs.map((hypothesis, index) => ({hypothesis, references: [references[index] ?? '']}));
}

function ofType<Type extends TaskResult['type']>(result: TaskResult, type: Type): ResultOf<Type> {
  if (isOfType(result, type)) return result;
  throw new CrossmapError('ERR_INTERNAL', `a result of ${result.type} is not one of ${type}`);
}

function isOfType<Type extends TaskResult['type']>(result: TaskResult, type: Type): result is ResultOf<Type> {
  return result.type === type;
}
