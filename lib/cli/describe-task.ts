/** What a task of a suite found, as lines of text. */
import type {TaskResult} from '../eval/index.js';
import {describeAlignment} from './describe-alignment.js';
import {fixed, interval as shown, plural} from './format.js';

/** The lines of one result. */
export function describeTask(result: TaskResult): string[] {
  if (result.type === 'alignment') return [...describeAlignment(result.alignment, result.name), ''];
  return [`${result.name}: ${facts(result)}`];
}

type Results = {readonly [K in TaskResult['type']]: Extract<TaskResult, {type: K}>};

function facts(result: Exclude<TaskResult, Results['alignment']>): string {
  if (result.type === 'perplexity') return perplexityFacts(result);
  if (result.type === 'translation') return translationFacts(result);
  if (result.type === 'questions') return questionFacts(result);
  const {acc, interval, chance, count: items} = result;
  const others =
    result.type === 'choice'
      ? [`acc_norm ${fixed(result.accNorm, 3)}`, `acc_bytes ${fixed(result.accBytes, 3)}`]
      : [];
  return [
    `acc ${fixed(acc, 3)} (${shown(interval)})`,
    ...others,
    `chance ${fixed(chance, 3)}`,
    plural(items, 'item'),
  ].join(', ');
}

function perplexityFacts({
  bitsPerByte,
  interval,
  perplexity,
  count: documents,
}: Results['perplexity']): string {
  const bits = `${fixed(bitsPerByte, 3)} bits per byte (${shown(interval)})`;
  return `${bits}, perplexity ${fixed(perplexity, 2)}, ${plural(documents, 'document')}`;
}

function translationFacts({scores, count: sentences, tooLong}: Results['translation']): string {
  return [
    [
      ...scores.map(({name, score, halfWidth}) => `${name} ${fixed(score, 2)} ± ${fixed(halfWidth, 2)}`),
      plural(sentences, 'sentence'),
      ...(tooLong === 0 ? [] : [`${tooLong} of them too long`]),
    ].join(', '),
    ...scores.map(({name, signature}) => `  ${name}|${signature}`),
  ].join('\n');
}

function questionFacts({f1, interval, exactMatch, f1Characters, count: items}: Results['questions']): string {
  const others = `exact match ${fixed(exactMatch, 3)}, F1 of characters ${fixed(f1Characters, 3)}`;
  return `F1 ${fixed(f1, 3)} (${shown(interval)}), ${others}, ${plural(items, 'question')}`;
}
