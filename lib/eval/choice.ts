/** Choosing among answers by their likelihood, as lm-evaluation-harness scores choice tasks. */
import type {Tokenizer} from '../data/index.js';
import {CrossmapError} from '../errors.js';
import type {Decoder} from '../nn/index.js';
import {scoreContinuations, type Continuation, type ScoreOptions} from './continuations.js';

/** A question with answers to choose from. */
export interface ChoiceItem {
  /** What comes before the answer; may be empty. */
  readonly context: string;
  /** At least two. */
  readonly choices: readonly string[];
  /** Index of the right one. */
  readonly answer: number;
}

/** The accuracy of choices; each from 0 to 1. */
export interface ChoiceScores {
  /** Number of items. */
  readonly items: number;
  /** By the summed log-likelihood, the first of those that are equal. */
  readonly acc: number;
  /** By the log-likelihood per code point of the choice. */
  readonly accNorm: number;
  /** By the log-likelihood per UTF-8 byte of the choice. */
  readonly accBytes: number;
  /** What guessing gives: the mean of 1 / choices. */
  readonly chance: number;
  /** [items] whether each was right by `acc`: what intervals are drawn from. */
  readonly correct: readonly boolean[];
}

/**
 * Scores choice tasks. A choice continues its context after a space; spaces at the end of the context go to the choice. Its tokens are
 * those of both together without those of the context.
 *
 * @param language whose control token leads each text
 * @throws ERR_ARGUMENT without items, for one without two choices or with an answer that is none of them; ERR_ABORTED
 * @see Gao et al. 2024, lm-evaluation-harness, doi:10.5281/zenodo.12608602
 */
export async function scoreChoices(
  decoder: Decoder,
  tokenizer: Tokenizer,
  items: readonly ChoiceItem[],
  {language, ...options}: ScoreOptions & {readonly language: string},
): Promise<ChoiceScores> {
  if (items.length === 0) throw new CrossmapError('ERR_ARGUMENT', 'scoreChoices: there must be an item');
  items.forEach(checkItem);
  const leading = [tokenizer.bos, tokenizer.language(language)];
  const continuations: Continuation[] = [];
  for (const {context, choices} of items)
    continuations.push(...(await choiceContinuations(tokenizer, {context, choices, leading})));
  return choiceScores(items, await scoreContinuations(decoder, continuations, options));
}

/**
 * Accuracies from log-likelihoods.
 *
 * @param scores those of the choices of all items, one after the other
 */
export function choiceScores(
  items: readonly Omit<ChoiceItem, 'context'>[],
  scores: Float64Array,
): ChoiceScores {
  let at = 0;
  const chosen = items.map(({choices, answer}) => {
    const own = scores.subarray(at, (at += choices.length));
    const isRight = (lengthOf: (choice: string) => number): boolean =>
      firstLargest(choices.map((choice, index) => (own[index] ?? 0) / lengthOf(choice))) === answer;
    return {
      acc: isRight(() => 1),
      accNorm: isRight((choice) => Array.from(choice).length),
      accBytes: isRight((choice) => Buffer.byteLength(choice)),
    };
  });
  const share = (name: 'acc' | 'accNorm' | 'accBytes'): number =>
    chosen.filter((each) => each[name]).length / items.length;
  return {
    items: items.length,
    acc: share('acc'),
    accNorm: share('accNorm'),
    accBytes: share('accBytes'),
    chance: items.reduce((sum, {choices}) => sum + 1 / choices.length, 0) / items.length,
    correct: chosen.map(({acc}) => acc),
  };
}

function checkItem({choices, answer}: ChoiceItem, index: number): void {
  if (choices.length < 2)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `item ${index} has ${choices.length} choices; at least 2 are needed`,
    );
  if (!Number.isInteger(answer) || answer < 0 || answer >= choices.length)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `item ${index} has answer ${answer}, which is none of its choices 0 to ${choices.length - 1}`,
    );
}

async function choiceContinuations(
  tokenizer: Tokenizer,
  {
    context,
    choices,
    leading,
  }: Pick<ChoiceItem, 'context' | 'choices'> & {readonly leading: readonly number[]},
): Promise<Continuation[]> {
  const trimmed = context.trimEnd();
  const spaces = context.slice(trimmed.length);
  const before = await tokenizer.encode(trimmed);
  const whole = await tokenizer.encodeAll(
    choices.map((choice) => (trimmed === '' ? choice : `${trimmed}${spaces || ' '}${choice}`)),
  );
  return whole.map((tokens) => ({
    context: [...leading, ...before],
    tokens: tokens.subarray(before.length),
  }));
}

function firstLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
