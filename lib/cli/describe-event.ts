/** What a training run tells, as lines of text. */
import type {
  EndEvent,
  EvaluationEvent,
  ObjectiveLosses,
  PairAlignment,
  SampleTranslation,
  StartEvent,
  StepEvent,
  TrainEvent,
} from '../train/events.js';
import {bytes, count, duration, fixed, number, plural} from './format.js';
import type {Paint} from './paint.js';

/** Directions whose sample is shown; the report has all. */
const shownSamples = 4;

/** The lines of one event. */
export function describeEvent(event: TrainEvent, paint: Paint): string[] {
  if (event.type === 'start') return describeStart(event, paint);
  if (event.type === 'step') return [`step ${event.step}  ${describeStep(event)}`];
  if (event.type === 'evaluation') return describeEvaluation(event, paint);
  if (event.type === 'checkpoint')
    return [paint.dim(`checkpoint at step ${event.step} in ${duration(event.seconds)}: ${event.path}`)];
  if (event.type === 'warning') return [paint.yellow(`warning at step ${event.step}: ${event.message}`)];
  return [describeEnd(event)];
}

function describeStart(event: StartEvent, paint: Paint): string[] {
  const {name, steps, resumedFrom, parameters, device, dtype, languages, output} = event;
  return [
    `${paint.bold(name)}: ${count(parameters)} parameters, ${device}, ${dtype}, ${languages.join(' ')}`,
    resumedFrom > 0
      ? `continuing from step ${resumedFrom} to ${steps} in ${output}`
      : `${plural(steps, 'step')} into ${output}`,
  ];
}

function describeEnd({reason, step, seconds, peakBytes}: EndEvent): string {
  const facts = `at step ${step} after ${duration(seconds)}, peak memory ${bytes(peakBytes)}`;
  return `${reason === 'finished' ? 'finished' : 'stopped, state saved,'} ${facts}`;
}

/** Losses, speed and time left of one step. */
export function describeStep({loss, losses, tokensPerSecond, etaSeconds}: StepEvent): string {
  const speed = `${count(tokensPerSecond)} tokens/s`;
  return [`loss ${fixed(loss, 4)}`, ...describeLosses(losses), speed, `ETA ${duration(etaSeconds)}`].join(
    '  ',
  );
}

/** The objectives that were trained, in the order of METHOD. */
export const objectiveNames = ['next', 'mapping', 'contrastive'] as const;

function describeLosses(losses: ObjectiveLosses): string[] {
  return objectiveNames.flatMap((name) => {
    const loss = losses[name];
    return loss === undefined ? [] : [`${name} ${fixed(loss, 4)}`];
  });
}

function describeEvaluation(
  {step, perplexity, alignment, samples, seconds}: EvaluationEvent,
  paint: Paint,
): string[] {
  return [
    `${paint.bold(`evaluation at step ${step}`)} in ${duration(seconds)}`,
    ...row(
      'perplexity',
      perplexity.map(({language, perplexity: value}) => `${language} ${number(value)}`),
    ),
    ...row(
      'bits per byte',
      perplexity.map(({language, bitsPerByte}) => `${language} ${fixed(bitsPerByte, 3)}`),
    ),
    ...row('LAC (crossmap definition)', alignment.map(describeAlignment)),
    ...row('retrieval P@1, mean over layers', alignment.map(describeRetrieval)),
    ...firstOfEachDirection(samples).map(
      ({source, target, input, output}) =>
        `  ${source} to ${target}: ${quoted(input)} gives ${quoted(output)}`,
    ),
  ];
}

function describeAlignment({source, target, lac, interval: [low, high]}: PairAlignment): string {
  return `${source}-${target} ${fixed(lac, 3)} (${fixed(low, 3)} to ${fixed(high, 3)})`;
}

/** Both ways: how often the sentence nearest to a source is its translation, and the other way round. */
function describeRetrieval({source, target, precisionAt1}: PairAlignment): string {
  const layers = precisionAt1.slice(1); // the embedding is no layer
  const [forth, back] = [0, 1].map((way) => mean(layers.map((ways) => ways[way] ?? NaN)) ?? NaN);
  return `${source}-${target} ${fixed(forth ?? NaN, 3)} and ${fixed(back ?? NaN, 3)}`;
}

function row(title: string, cells: readonly string[]): string[] {
  return cells.length === 0 ? [] : [`  ${title}: ${cells.join(', ')}`];
}

function firstOfEachDirection(samples: readonly SampleTranslation[]): SampleTranslation[] {
  const byDirection = new Map<string, SampleTranslation>();
  for (const sample of samples) {
    const direction = `${sample.source} ${sample.target}`;
    if (!byDirection.has(direction)) byDirection.set(direction, sample);
  }
  return [...byDirection.values()].slice(0, shownSamples);
}

const segmenter = new Intl.Segmenter();

/** A sentence on one line; what a young model writes may hold anything, control characters included. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, ' ').trim();
  const characters = Array.from(segmenter.segment(line), ({segment}) => segment);
  return `"${characters.length <= 80 ? line : `${characters.slice(0, 79).join('')}…`}"`;
}

/** The mean of values, or undefined where there are none. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
