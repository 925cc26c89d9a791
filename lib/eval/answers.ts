/** Scores of answers to questions about a text, as SQuAD and XQuAD count them. */
import {splitWords} from './python-text.js';

/** Each from 0 to 1. */
export interface AnswerScores {
  /** Whether the answer is the gold one, once both are normalised. */
  readonly exactMatch: number;
  /** F1 of the words that both have. */
  readonly f1: number;
  /** F1 of the code points that both have, without white space: for languages that write no spaces. */
  readonly f1Characters: number;
}

/**
 * Compares an answer with the gold one: in lower case, without ASCII punctuation and the English articles, white space aside.
 *
 * @see Rajpurkar et al. 2016, arXiv:1606.05250; Artetxe et al. 2020, arXiv:1910.11856
 */
export function scoreAnswer(answer: string, gold: string): AnswerScores {
  const [own, wanted] = [normalized(answer), normalized(gold)];
  return {
    exactMatch: own.join(' ') === wanted.join(' ') ? 1 : 0,
    f1: overlap(own, wanted),
    f1Characters: overlap(Array.from(own.join('')), Array.from(wanted.join(''))),
  };
}

function normalized(text: string): string[] {
  return splitWords(
    text
      .toLowerCase()
      .replace(/[!-/:-@[-`{-~]/gu, '')
      .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' '),
  );
}

/** F1 of two bags; 0 where they have nothing in common. */
function overlap(own: readonly string[], wanted: readonly string[]): number {
  const left = new Map<string, number>();
  for (const each of wanted) left.set(each, (left.get(each) ?? 0) + 1);
  let common = 0;
  for (const each of own) {
    const count = left.get(each) ?? 0;
    if (count === 0) continue;
    left.set(each, count - 1);
    common++;
  }
  if (common === 0) return 0;
  const [precision, recall] = [common / own.length, common / wanted.length];
  return (2 * precision * recall) / (precision + recall);
}
