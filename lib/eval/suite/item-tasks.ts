/** Tasks on records: choices and questions. */
import type {SuiteTask} from '../../config/index.js';
import {textFormatOf} from '../../data/corpus/format.js';
import {readParquet} from '../../data/corpus/parquet.js';
import {fieldOf, readJsonLines, textAt, type Placed} from '../../data/corpus/records.js';
import {textPrompt} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import {generateAll} from '../../nn/index.js';
import {scoreAnswer} from '../answers.js';
import {scoreChoices, type ChoiceItem} from '../choice.js';
import {meanInterval} from '../intervals.js';
import {itemsOf, pick} from './items.js';
import type {Found, SuiteScore} from './results.js';
import type {ReadTask, TaskInput} from './run.js';

type Task<Type extends 'choice' | 'questions'> = Extract<SuiteTask, {type: Type}>;

/** Questions that are answered together. */
const questionsAtOnce = 16;

export async function readChoice(task: Task<'choice'>, input: TaskInput): Promise<ReadTask> {
  const {contextField, choicesField, answerField} = task;
  const records = await readRecords(task, [contextField, choicesField, answerField], input);
  const items = records.map((record): ChoiceItem => ({
    context: textAt(record, contextField, input.option),
    choices: listAt(record, choicesField),
    answer: numberAt(record, answerField),
  }));
  return {
    // Choices after a context are mostly short answers, which occur anywhere; without one they are sentences.
    sentences: items.map(({context, choices}) => (context === '' ? choices : linesOf(context))),
    measure: (chosen) => measureChoice(task, pick(items, chosen), input),
  };
}

async function measureChoice(
  {language}: Task<'choice'>,
  items: readonly ChoiceItem[],
  {decoder, tokenizer, config, suite, signal}: TaskInput,
): Promise<Found<'choice'>> {
  const {
    correct,
    items: count,
    ...scores
  } = await scoreChoices(decoder, tokenizer, items, {
    language,
    tokensPerBatch: config.training.tokensPerBatch,
    ...(signal && {signal}),
  });
  return {
    type: 'choice',
    language,
    items: itemsOf(items.map((item) => JSON.stringify(item))),
    count,
    ...scores,
    interval: meanInterval(correct.map(Number), suite),
    correct: [...correct],
  };
}

/** A question as the model is asked it, and its first gold answer. */
interface Question {
  readonly prompt: string;
  readonly gold: string;
}

export async function readQuestions(task: Task<'questions'>, input: TaskInput): Promise<ReadTask> {
  const {contextField, questionField, answerField, template} = task;
  const records = await readRecords(task, [contextField, questionField, answerField], input);
  const read = records.map((record) => ({
    context: textAt(record, contextField, input.option),
    question: textAt(record, questionField, input.option),
    gold: firstAt(record, answerField),
  }));
  const items = read.map(({context, question, gold}): Question => ({
    prompt: template.replaceAll('{context}', () => context).replaceAll('{question}', () => question),
    gold,
  }));
  return {
    sentences: read.map(({context, question}) => [...linesOf(context), ...linesOf(question)]),
    measure: (chosen) => measureQuestions(task, pick(items, chosen), input),
  };
}

async function measureQuestions(
  task: Task<'questions'>,
  items: readonly Question[],
  input: TaskInput,
): Promise<Found<'questions'>> {
  const {language, metrics = []} = task;
  const answers: string[] = [];
  for (let at = 0; at < items.length; at += questionsAtOnce) {
    const prompts = items.slice(at, at + questionsAtOnce).map(({prompt}) => prompt);
    answers.push(...(await answerAll(prompts, task, input)));
  }
  const scores = items.map(({gold}, index) => scoreAnswer(answers[index] ?? '', gold));
  const mean = (name: 'exactMatch' | 'f1' | 'f1Characters'): number =>
    scores.reduce((sum, each) => sum + each[name], 0) / scores.length;
  const f1s = scores.map(({f1}) => f1);
  const exactMatches = scores.map(({exactMatch}) => exactMatch === 1);
  const translated = items.map(({gold}, index) => ({hypothesis: answers[index] ?? '', references: [gold]}));
  const further: SuiteScore[] = [];
  for (const metric of metrics) further.push(...(await input.scorers.score(metric, {language, translated})));
  return {
    type: 'questions',
    language,
    items: itemsOf(items.map((item) => JSON.stringify(item))),
    count: scores.length,
    exactMatch: mean('exactMatch'),
    f1: mean('f1'),
    f1Characters: mean('f1Characters'),
    interval: meanInterval(f1s, input.suite),
    f1s,
    exactMatchInterval: meanInterval(exactMatches.map(Number), input.suite),
    exactMatches,
    ...(further.length > 0 && {scores: further}),
  };
}

/** Each line is a sentence, as in a corpus. */
function linesOf(text: string): string[] {
  return text.split('\n');
}

/** Greedy answers up to the end of a line. Of a prompt that is too long the beginning is left out, after its control tokens. */
async function answerAll(
  prompts: readonly string[],
  {language, maxNewTokens}: Task<'questions'>,
  {decoder, tokenizer, signal}: TaskInput,
): Promise<string[]> {
  const room = decoder.shape.context - Math.min(maxNewTokens, decoder.shape.context - 3);
  const encoded = await Promise.all(
    prompts.map(async (text) => {
      const tokens = await textPrompt(tokenizer, language, text);
      if (tokens.length <= room) return tokens;
      return Int32Array.from([...tokens.subarray(0, 2), ...tokens.subarray(tokens.length - room + 2)]);
    }),
  );
  const outputs = await generateAll(decoder, encoded, {
    maxNewTokens,
    stopTokens: [tokenizer.eos],
    ...(signal && {signal}),
  });
  const answers = await Promise.all(outputs.map((tokens) => tokenizer.decode(tokens)));
  return answers.map((answer) => answer.trimStart().split('\n', 1)[0] ?? '');
}

async function readRecords(
  {file, limit = Infinity}: Task<'choice' | 'questions'>,
  fields: readonly string[],
  {option, signal}: TaskInput,
): Promise<Placed[]> {
  const options = {option, ...(signal && {signal})};
  const batches =
    textFormatOf(file) === 'parquet' ? readParquet(file, fields, options) : readJsonLines(file, options);
  const records: Placed[] = [];
  for await (const batch of batches) {
    records.push(...batch);
    if (records.length >= limit) return records.slice(0, limit);
  }
  if (records.length === 0) throw new CrossmapError('ERR_DATA', `no item in ${file} (${option})`);
  return records;
}

function listAt({place, value}: Placed, path: string): string[] {
  const found = fieldOf(value, path);
  if (Array.isArray(found) && found.every((each) => typeof each === 'string')) return found;
  throw new CrossmapError('ERR_DATA', `${place}: ${path} must be a list of texts`);
}

function numberAt({place, value}: Placed, path: string): number {
  const found = fieldOf(value, path);
  if (typeof found === 'number' || typeof found === 'bigint') return Number(found);
  throw new CrossmapError('ERR_DATA', `${place}: ${path} must be the number of the right answer, from 0`);
}

function firstAt({place, value}: Placed, path: string): string {
  const found = fieldOf(value, path);
  const first: unknown = Array.isArray(found) ? found[0] : found;
  if (typeof first === 'string') return first;
  throw new CrossmapError('ERR_DATA', `${place}: ${path} must be a text, or a list of texts`);
}
