/** The scores of translations that a suite knows by name. */
import type {SuiteTask} from '../../config/index.js';
import {bleu} from '../bleu.js';
import type {BleuTokenizer} from '../bleu-tokenizers.js';
import {chrf} from '../chrf.js';
import type {TextMetric} from '../text-metric.js';

type MetricName = Extract<SuiteTask, {type: 'translation'}>['metrics'][number];

/** @param tokenizer of BLEU */
export function textMetric(name: MetricName, tokenizer: BleuTokenizer): TextMetric {
  if (name === 'bleu') return bleu({tokenizer});
  return chrf({wordOrder: name === 'chrf++' ? 2 : 0});
}
