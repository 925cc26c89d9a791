/** Tasks on sentence pairs. */
import type {SuiteTask} from '../../config/index.js';
import {expandPatterns} from '../../data/corpus/patterns.js';
import {readPairs, translationPrompt, type HeldOutPairs} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import {alignInWorker} from '../align-in-worker.js';
import {bleu} from '../bleu.js';
import {chrf} from '../chrf.js';
import {encodePairs} from '../encode-sentences.js';
import {corpusScore, scoreInterval, type TextMetric} from '../text-metric.js';
import {translationChoice} from '../translation-choice.js';
import {translate} from '../translate.js';
import {meanInterval} from './intervals.js';
import type {AlignmentResult, TranslationChoiceResult, TranslationResult} from './results.js';
import type {Found, TaskInput} from './run.js';

type PairTask = Extract<SuiteTask, {source: string}>;
type Task<Type extends PairTask['type']> = Extract<PairTask, {type: Type}>;

/** Sentences that are translated together: the memory of their keys and values is what bounds it. */
const sentencesAtOnce = 32;

export async function runTranslation(
  task: Task<'translation'>,
  input: TaskInput,
): Promise<Found<TranslationResult>> {
  const pairs = await readSides(task, input);
  const {outputs, tooLong} = await translateAll(pairs, task.beams, input);
  const translated = outputs.map((hypothesis, index) => ({
    hypothesis,
    references: [pairs.targets[index] ?? ''],
  }));
  return {
    type: 'translation',
    source: task.source,
    target: task.target,
    sentences: outputs.length,
    tooLong,
    scores: task.metrics.map((name) => {
      const metric = metricOf(name, task);
      const {name: printed, score, signature} = corpusScore(metric, translated);
      const {halfWidth} = scoreInterval(metric, translated, input.suite);
      return {name: printed, score, signature, halfWidth};
    }),
    outputs,
  };
}

function metricOf(
  name: Task<'translation'>['metrics'][number],
  {tokenizer, target}: Task<'translation'>,
): TextMetric {
  if (name === 'bleu') return bleu({tokenizer: tokenizer ?? (/^zh\b/i.test(target) ? 'zh' : '13a')});
  return chrf({wordOrder: name === 'chrf++' ? 2 : 0});
}

async function translateAll(
  {source, target, sources}: HeldOutPairs,
  beams: number,
  {decoder, tokenizer, config, signal}: TaskInput,
): Promise<{readonly outputs: string[]; readonly tooLong: number}> {
  const lengths = await Promise.all(
    sources.map(async (text) => (await translationPrompt(tokenizer, {source, target, text})).length),
  );
  const fitting = [...sources.keys()].filter((index) => (lengths[index] ?? 0) < decoder.shape.context);
  const outputs = sources.map(() => '');
  for (let at = 0; at < fitting.length; at += sentencesAtOnce) {
    const chosen = fitting.slice(at, at + sentencesAtOnce);
    const translations = await translate(
      decoder,
      tokenizer,
      {source, target, texts: chosen.map((index) => sources[index] ?? '')},
      {maxNewTokens: Infinity, beams, prefix: config.objectives.mapping.prefix, ...(signal && {signal})},
    );
    for (const [place, index] of chosen.entries()) outputs[index] = firstLine(translations[place] ?? '');
  }
  return {outputs, tooLong: sources.length - fitting.length};
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

export async function runTranslationChoice(
  task: Task<'translationChoice'>,
  input: TaskInput,
): Promise<Found<TranslationChoiceResult>> {
  const {decoder, tokenizer, config, suite, signal} = input;
  const {items, acc, chance, correct} = await translationChoice(
    decoder,
    tokenizer,
    await readSides(task, input),
    {
      candidates: task.candidates,
      seed: suite.seed,
      prefix: config.objectives.mapping.prefix,
      tokensPerBatch: config.training.tokensPerBatch,
      ...(signal && {signal}),
    },
  );
  return {
    type: 'translationChoice',
    source: task.source,
    target: task.target,
    items,
    acc,
    chance,
    interval: meanInterval(correct.map(Number), suite),
  };
}

export async function runAlignment(
  task: Task<'alignment'>,
  input: TaskInput,
): Promise<Found<AlignmentResult>> {
  const {decoder, tokenizer, config, suite, signal} = input;
  const vectors = await encodePairs(decoder, tokenizer, await readSides(task, input), {
    tokensPerBatch: config.training.tokensPerBatch,
    prefix: config.objectives.mapping.prefix,
    ...(signal && {signal}),
  });
  const alignment = await alignInWorker({...vectors, seed: suite.seed, draws: suite.draws}, signal);
  return {type: 'alignment', alignment};
}

/** The pairs of a task that have two sides. */
async function readSides(task: PairTask, {option, signal}: TaskInput): Promise<HeldOutPairs> {
  const {source, target, file, limit = Infinity} = task;
  const {files, format, columns, fields} = task;
  const corpus = {
    source,
    target,
    option,
    ...(files && {files}),
    ...(format && {format}),
    ...(columns && {columns}),
    ...(fields && {fields}),
    ...(file && {file: await expandPatterns(file, option)}),
  };
  const sources: string[] = [];
  const targets: string[] = [];
  for await (const batch of readPairs(corpus, signal ? {signal} : {})) {
    for (const [x, y] of batch)
      if (x !== '' && y !== '' && sources.length < limit) {
        sources.push(x);
        targets.push(y);
      }
    if (sources.length >= limit) break;
  }
  if (sources.length === 0)
    throw new CrossmapError('ERR_DATA', `no pair of ${source} and ${target} in the files of ${option}`);
  return {source, target, sources, targets};
}
