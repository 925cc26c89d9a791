/** Runs the tasks of a suite on a model. */
import type {Config, Suite, SuiteTask} from '../../config/index.js';
import type {Tokenizer} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import type {Decoder} from '../../nn/index.js';
import {checkSignal} from '../checked-signal.js';
import {readChoice, readQuestions} from './item-tasks.js';
import {optionOf} from './items.js';
import {findOverlaps, type TrainedOn} from './overlap.js';
import {readAlignment, readTranslation, readTranslationChoice} from './pair-tasks.js';
import {readPerplexity} from './perplexity-task.js';
import type {AnyFound, TaskResult} from './results.js';
import {openVectorScorers, type ScoringModel, type VectorScorers} from './vector-scores.js';

/** What is measured, and how. */
export interface SuiteInput {
  /** The model. */
  readonly decoder: Decoder;
  /** That it was trained with. */
  readonly tokenizer: Tokenizer;
  /** Of the run that trained the model. */
  readonly config: Pick<Config, 'objectives' | 'training'>;
  /** What is measured. */
  readonly suite: Suite;
  /** What the model was trained on, or why that is not known; default: it is not known. */
  readonly trainedOn?: TrainedOn;
  /** Opens `crossmapScore.model` of the suite, a run or checkpoint. */
  readonly openModel?: (folder: string) => Promise<ScoringModel>;
  /** Stops the work: the generator then throws ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Measures a model on the tasks of a suite, and yields the result of each when it is known. The items of all tasks are read before
 * anything is measured, and compared with what the model was trained on.
 *
 * @throws ERR_ARGUMENT for a language that the model does not have, and for tasks that are too small; ERR_DATA for files that are missing
 *   or not what they should be, and for items that the model was trained on, unless `overlap` of the suite is `drop` or `allow`;
 *   ERR_ABORTED. All but tasks that are too small are found before anything is measured
 */
export async function* runSuite(input: SuiteInput): AsyncGenerator<TaskResult, void, undefined> {
  const {suite, signal, tokenizer} = input;
  for (const [index, task] of suite.tasks.entries()) checkLanguages(task, index, tokenizer);
  const scorers = await openVectorScorers(input);
  try {
    const tasks: ReadTask[] = [];
    for (const [index, task] of suite.tasks.entries())
      tasks.push(await readTask(task, {...input, scorers, option: optionOf(index)}));
    const overlaps = await findOverlaps(tasks, input);
    for (const [index, task] of suite.tasks.entries()) {
      checkSignal(signal);
      const start = performance.now();
      const {overlap, chosen} = overlaps[index] ?? {};
      const found = await tasks[index]?.measure(chosen ?? []);
      if (found === undefined) continue;
      const name = task.name ?? nameOf(task);
      yield {...found, name, seconds: (performance.now() - start) / 1000, ...(overlap && {overlap})};
    }
  } finally {
    await scorers.dispose();
  }
}

/** What every task works with. */
export interface TaskInput extends SuiteInput {
  /** The task, as errors name it: `tasks[0]`. */
  readonly option: string;
  readonly scorers: VectorScorers;
}

/** A task whose items are read. */
export interface ReadTask {
  /** [items] the sentences of each that the model must not have been trained on. */
  readonly sentences: readonly (readonly string[])[];
  /** Measures the model on some of the items, in this order. */
  measure(chosen: readonly number[]): Promise<AnyFound>;
}

function readTask(task: SuiteTask, input: TaskInput): Promise<ReadTask> {
  if (task.type === 'perplexity') return readPerplexity(task, input);
  if (task.type === 'translation') return readTranslation(task, input);
  if (task.type === 'translationChoice') return readTranslationChoice(task, input);
  if (task.type === 'alignment') return readAlignment(task, input);
  return task.type === 'choice' ? readChoice(task, input) : readQuestions(task, input);
}

function nameOf(task: SuiteTask): string {
  return `${task.type} ${'source' in task ? `${task.source}-${task.target}` : task.language}`;
}

function checkLanguages(task: SuiteTask, index: number, {languages}: Tokenizer): void {
  for (const language of 'source' in task ? [task.source, task.target] : [task.language])
    if (!languages.includes(language))
      throw new CrossmapError(
        'ERR_ARGUMENT',
        `${optionOf(index)}: ${language} is no language of the model (${languages.join(', ')})`,
      );
}
