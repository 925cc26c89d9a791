/** Items of a suite that a model was trained on. */
import type {TrainedText} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import {optionOf} from './items.js';
import type {TaskResult} from './results.js';
import type {ReadTask, SuiteInput} from './run.js';

/** The text that a model was trained on, or why it is not known. */
export type TrainedOn = {readonly text: TrainedText} | {readonly unknown: string};

/** What is measured of a task. */
interface Overlap {
  readonly overlap: NonNullable<TaskResult['overlap']>;
  /** Items, in order. */
  readonly chosen: readonly number[];
}

/**
 * [tasks] what is measured of each. An item overlaps where one of its sentences was trained on.
 *
 * @throws ERR_DATA where items overlap and the suite refuses that, or drops them and nothing is left; ERR_ABORTED
 */
export async function findOverlaps(
  tasks: readonly ReadTask[],
  {suite, trainedOn = {unknown: 'the text that the model was trained on is not at hand'}}: SuiteInput,
): Promise<Overlap[]> {
  if ('unknown' in trainedOn)
    return tasks.map(({sentences}) => ({
      overlap: {checked: false, reason: trainedOn.unknown},
      chosen: [...sentences.keys()],
    }));
  const all = new Set(tasks.flatMap(({sentences}) => sentences.flat()));
  const trained = await trainedOn.text.among([...all]);
  return tasks.map(({sentences}, index): Overlap => {
    const clean = [...sentences.keys()].filter((item) => !sentences[item]?.some((each) => trained.has(each)));
    const items = sentences.length - clean.length;
    if (items > 0 && (suite.overlap === 'refuse' || (suite.overlap === 'drop' && clean.length === 0)))
      throw refusal(sentences, trained, {index, items, policy: suite.overlap});
    const dropped = suite.overlap === 'drop';
    return {
      overlap: {checked: true, items, dropped},
      chosen: dropped ? clean : [...sentences.keys()],
    };
  });
}

function refusal(
  sentences: readonly (readonly string[])[],
  trained: ReadonlySet<string>,
  {index, items, policy}: {readonly index: number; readonly items: number; readonly policy: string},
): CrossmapError {
  const example = sentences.flat().find((each) => trained.has(each)) ?? '';
  const advice =
    policy === 'refuse'
      ? 'overlap: drop leaves them out, overlap: allow measures them all the same'
      : 'nothing is left to measure';
  return new CrossmapError(
    'ERR_DATA',
    `${optionOf(index)}: the model was trained on ${items} of ${sentences.length} items, for example ${JSON.stringify(example.slice(0, 100))}; ${advice}`,
  );
}
