/** What a task of a suite found, as lines of text. */
import {digitsOf, type TaskResult} from '../eval/index.js';
import {describeAlignment} from './describe-alignment.js';
import {fixed, interval as shown, plural} from './format.js';

/** The lines of one result. */
export function describeTask(result: TaskResult): string[] {
  const lines =
    result.type === 'alignment'
      ? [...describeAlignment(result.alignment, result.name), ...retrievalFacts(result), '']
      : [`${result.name}: ${facts(result)}`];
  return [...lines, ...overlapFacts(result)];
}

/** Only what is to be known: that nothing was trained on goes without saying. */
function overlapFacts({overlap}: TaskResult): string[] {
  if (overlap === undefined || !overlap.checked || overlap.items === 0) return [];
  const items = plural(overlap.items, 'item');
  return overlap.dropped
    ? [`  left out: ${items} that the model was trained on`]
    : [`  note: the model was trained on ${items} of these`];
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
      ...scores.map(shownScore),
      plural(sentences, 'sentence'),
      ...(tooLong === 0 ? [] : [`${tooLong} of them too long`]),
    ].join(', '),
    ...signatures(scores),
  ].join('\n');
}

function questionFacts(result: Results['questions']): string {
  const {f1, interval, exactMatch, exactMatchInterval, f1Characters, scores = [], count: items} = result;
  return [
    [
      `F1 ${fixed(f1, 3)} (${shown(interval)})`,
      `exact match ${fixed(exactMatch, 3)}${exactMatchInterval ? ` (${shown(exactMatchInterval)})` : ''}`,
      `F1 of characters ${fixed(f1Characters, 3)}`,
      ...scores.map(shownScore),
      plural(items, 'question'),
    ].join(', '),
    ...signatures(scores),
  ].join('\n');
}

type Score = Results['translation']['scores'][number];

function shownScore({name, score, halfWidth}: Score): string {
  const digits = digitsOf(name);
  return `${name} ${fixed(score, digits)} ± ${fixed(halfWidth, digits)}`;
}

/** How each score came about; the parts of a score of vectors share one. */
function signatures(scores: readonly Score[]): string[] {
  return [
    ...new Set(
      scores.map(({metric, name, signature, values}) =>
        values === undefined ? `  ${name}|${signature}` : `  ${metric}|${signature}`,
      ),
    ),
  ];
}

function retrievalFacts({retrieval}: Results['alignment']): string[] {
  if (retrieval === undefined) return [];
  const {precisionAt1, precisionInterval, marginError, marginInterval} = retrieval;
  return [
    `mean over layers and both directions: P@1 ${fixed(precisionAt1, 3)} (${shown(precisionInterval)}), ` +
      `margin error ${fixed(marginError, 3)} (${shown(marginInterval)})`,
  ];
}
