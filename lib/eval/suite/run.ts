/** Runs the tasks of a suite on a model. */
import type {Config, Suite, SuiteTask} from '../../config/index.js';
import type {Tokenizer} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import type {Decoder} from '../../nn/index.js';
import {checkSignal} from '../checked-signal.js';
import {runAlignment, runTranslation, runTranslationChoice} from './pair-tasks.js';
import {runChoice, runQuestions} from './item-tasks.js';
import {runPerplexity} from './perplexity-task.js';
import type {Found, TaskResult} from './results.js';

/** What is measured, and how. */
export interface SuiteInput {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  /** Of the run that trained the model. */
  readonly config: Pick<Config, 'objectives' | 'training'>;
  readonly suite: Suite;
  /** Stops the work: the generator then throws ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Measures a model on the tasks of a suite, and yields the result of each when it is known. That the model was not trained on their
 * sentences is the caller's to see to.
 *
 * @throws ERR_ARGUMENT for a language that the model does not have, before anything is measured, and for tasks that are too small;
 *   ERR_DATA for files that are missing or not what they should be; ERR_ABORTED
 */
export async function* runSuite(input: SuiteInput): AsyncGenerator<TaskResult, void, undefined> {
  const {suite, signal, tokenizer} = input;
  for (const [index, task] of suite.tasks.entries()) checkLanguages(task, index, tokenizer);
  for (const [index, task] of suite.tasks.entries()) {
    checkSignal(signal);
    const start = performance.now();
    const result = await runTask(task, {...input, option: `tasks[${index}]`});
    yield {...result, name: task.name ?? nameOf(task), seconds: (performance.now() - start) / 1000};
  }
}

/** What every task works with. */
export interface TaskInput extends SuiteInput {
  /** The task, as errors name it: `tasks[0]`. */
  readonly option: string;
}

function runTask(task: SuiteTask, input: TaskInput): Promise<AnyFound> {
  if (task.type === 'perplexity') return runPerplexity(task, input);
  if (task.type === 'translation') return runTranslation(task, input);
  if (task.type === 'translationChoice') return runTranslationChoice(task, input);
  if (task.type === 'alignment') return runAlignment(task, input);
  return task.type === 'choice' ? runChoice(task, input) : runQuestions(task, input);
}

type AnyFound = {[Type in TaskResult['type']]: Found<Type>}[TaskResult['type']];

function nameOf(task: SuiteTask): string {
  return `${task.type} ${'source' in task ? `${task.source}-${task.target}` : task.language}`;
}

function checkLanguages(task: SuiteTask, index: number, {languages}: Tokenizer): void {
  for (const language of 'source' in task ? [task.source, task.target] : [task.language])
    if (!languages.includes(language))
      throw new CrossmapError(
        'ERR_ARGUMENT',
        `tasks[${index}]: ${language} is no language of the model (${languages.join(', ')})`,
      );
}
