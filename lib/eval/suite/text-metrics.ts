/** The scores of outputs that a suite knows by name. */
import {bleu} from '../bleu.js';
import type {BleuTokenizer} from '../bleu-tokenizers.js';
import {chrf} from '../chrf.js';
import {
  corpusScore,
  scoreInterval,
  type DrawOptions,
  type TextMetric,
  type Translated,
} from '../text-metric.js';
import type {SuiteScore} from './results.js';

type MetricName = Exclude<SuiteScore['metric'], VectorMetric>;

/** Those that need the vectors of an encoder. */
export type VectorMetric = Extract<SuiteScore['metric'], 'bertscore' | 'crossmap-score'>;

export function isVectorMetric(metric: SuiteScore['metric']): metric is VectorMetric {
  return metric === 'bertscore' || metric === 'crossmap-score';
}

/** @param tokenizer of BLEU */
export function textMetric(name: MetricName, tokenizer: BleuTokenizer): TextMetric {
  if (name === 'bleu') return bleu({tokenizer});
  return chrf({wordOrder: name === 'chrf++' ? 2 : 0});
}

/** A score of translations, with its interval. */
export function textScore(
  metric: MetricName,
  {
    tokenizer,
    translated,
    draws,
  }: {
    readonly tokenizer: BleuTokenizer;
    readonly translated: readonly Translated[];
    readonly draws: DrawOptions;
  },
): SuiteScore {
  const scorer = textMetric(metric, tokenizer);
  const {name, score, signature} = corpusScore(scorer, translated);
  const {halfWidth} = scoreInterval(scorer, translated, draws);
  return {metric, name, score, signature, halfWidth};
}
