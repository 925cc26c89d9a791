/** Tasks on sentence pairs. */
import type {SuiteTask} from '../../config/index.js';
import {expandPatterns} from '../../data/corpus/patterns.js';
import {readSides, type HeldOutPairs} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import {measureInWorker} from '../align-in-worker.js';
import {alignmentSchema} from '../alignment-schema.js';
import {encodePairs} from '../encode-sentences.js';
import {mean} from '../lac.js';
import {translationChoice} from '../translation-choice.js';
import {leavesRoom, translate} from '../translate.js';
import {meanInterval} from '../intervals.js';
import {isVectorMetric, textScore} from './text-metrics.js';
import {itemsOf, pick} from './items.js';
import type {AnyFound, Found, SuiteScore} from './results.js';
import type {ReadTask, TaskInput} from './run.js';

type PairTask = Extract<SuiteTask, {source: string}>;
type Task<Type extends PairTask['type']> = Extract<PairTask, {type: Type}>;

/** Sentences that are translated together: the memory of their keys and values is what bounds it. */
const sentencesAtOnce = 32;

export async function readTranslation(task: Task<'translation'>, input: TaskInput): Promise<ReadTask> {
  return readPairs(task, input, (pairs) => measureTranslation(task, pairs, input));
}

async function measureTranslation(
  task: Task<'translation'>,
  pairs: HeldOutPairs,
  input: TaskInput,
): Promise<Found<'translation'>> {
  const {tokenizer = /^zh\b/i.test(task.target) ? 'zh' : '13a', target: language} = task;
  const {outputs, tooLong} = await translateAll(pairs, task.beams, input);
  const translated = outputs.map((hypothesis, index) => ({
    hypothesis,
    references: [pairs.targets[index] ?? ''],
  }));
  const scores: SuiteScore[] = [];
  for (const metric of task.metrics)
    scores.push(
      ...(isVectorMetric(metric)
        ? await input.scorers.score(metric, {language, translated})
        : [textScore(metric, {tokenizer, translated, draws: input.suite})]),
    );
  return {
    type: 'translation',
    source: task.source,
    target: task.target,
    items: itemsOf([...pairs.sources, ...pairs.targets]),
    count: outputs.length,
    tooLong,
    scores,
    tokenizer,
    outputs,
    references: [...pairs.targets],
  };
}

async function translateAll(
  {source, target, sources}: HeldOutPairs,
  beams: number,
  {decoder, tokenizer, config, signal}: TaskInput,
): Promise<{readonly outputs: string[]; readonly tooLong: number}> {
  const fits = await leavesRoom(decoder, tokenizer, sources);
  const fitting = [...sources.keys()].filter((index) => fits[index]);
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

export async function readTranslationChoice(
  task: Task<'translationChoice'>,
  input: TaskInput,
): Promise<ReadTask> {
  return readPairs(task, input, (pairs) => measureTranslationChoice(task, pairs, input));
}

async function measureTranslationChoice(
  task: Task<'translationChoice'>,
  pairs: HeldOutPairs,
  {decoder, tokenizer, config, suite, signal}: TaskInput,
): Promise<Found<'translationChoice'>> {
  const {acc, chance, correct} = await translationChoice(decoder, tokenizer, pairs, {
    candidates: task.candidates,
    seed: suite.seed,
    prefix: config.objectives.mapping.prefix,
    tokensPerBatch: config.training.tokensPerBatch,
    ...(signal && {signal}),
  });
  return {
    type: 'translationChoice',
    source: task.source,
    target: task.target,
    items: itemsOf([...pairs.sources, ...pairs.targets]),
    count: correct.length,
    acc,
    chance,
    interval: meanInterval(correct.map(Number), suite),
    correct: [...correct],
  };
}

export async function readAlignment(task: Task<'alignment'>, input: TaskInput): Promise<ReadTask> {
  return readPairs(task, input, (pairs) => measurePairs(pairs, input));
}

async function measurePairs(
  pairs: HeldOutPairs,
  {decoder, tokenizer, config, suite, signal}: TaskInput,
): Promise<Found<'alignment'>> {
  const vectors = await encodePairs(decoder, tokenizer, pairs, {
    tokensPerBatch: config.training.tokensPerBatch,
    prefix: config.objectives.mapping.prefix,
    ...(signal && {signal}),
  });
  const work = {...vectors, seed: suite.seed, draws: suite.draws};
  const {alignment, seed, draws, precisions, errors} = await measureInWorker(work, signal);
  return {
    type: 'alignment',
    items: itemsOf([...pairs.sources, ...pairs.targets]),
    count: alignment.pairs,
    alignment: alignmentSchema.parse(alignment),
    seed,
    draws: [...draws],
    retrieval: {
      precisionAt1: mean(precisions),
      precisionInterval: meanInterval(precisions, suite),
      marginError: mean(errors),
      marginInterval: meanInterval(errors, suite),
      precisions: [...precisions],
      errors: [...errors],
    },
  };
}

/** Reads the pairs of a task that have two sides. */
async function readPairs(
  task: PairTask,
  input: TaskInput,
  measure: (pairs: HeldOutPairs) => Promise<AnyFound>,
): Promise<ReadTask> {
  const {sources, targets, ...languages} = await pairsOf(task, input);
  return {
    sentences: sources.map((source, index) => [source, targets[index] ?? '']),
    measure: (chosen) =>
      measure({...languages, sources: pick(sources, chosen), targets: pick(targets, chosen)}),
  };
}

async function pairsOf(task: PairTask, {option, signal}: TaskInput): Promise<HeldOutPairs> {
  const {source, target, file, limit, files, format, columns, fields} = task;
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
  const pairs = await readSides(corpus, {limit, ...(signal && {signal})});
  if (pairs.sources.length === 0)
    throw new CrossmapError('ERR_DATA', `no pair of ${source} and ${target} in the files of ${option}`);
  return pairs;
}
