/** What a suite yields: plain JSON values, with what comparing two models on the same items needs. */
import {z} from 'zod';
import {alignmentSchema} from '../alignment-schema.js';

const interval = z.tuple([z.number(), z.number()]).readonly();

const common = {
  name: z.string(),
  /** Identity of the items: results with the same one are of the same items, in the same order. */
  items: z.string(),
  /** How many there are. */
  count: z.number(),
  seconds: z.number(),
};

const perplexity = z.object({
  type: z.literal('perplexity'),
  ...common,
  language: z.string(),
  tokens: z.number(),
  bytes: z.number(),
  natsPerToken: z.number(),
  perplexity: z.number(),
  bitsPerByte: z.number(),
  /** 95 % of `bitsPerByte`, documents drawn again. */
  interval,
  /** [documents] bits and bytes. */
  documents: z.array(z.tuple([z.number(), z.number()])),
});

const translation = z.object({
  type: z.literal('translation'),
  ...common,
  source: z.string(),
  target: z.string(),
  /** Sentences that leave no room for a translation: they count as translated by nothing. */
  tooLong: z.number(),
  scores: z.array(
    z.object({
      metric: z.enum(['bleu', 'chrf', 'chrf++']),
      /** `BLEU`, `chrF2`, `chrF2++` */
      name: z.string(),
      score: z.number(),
      signature: z.string(),
      /** Half the width of the central 95 %, sentences drawn again. */
      halfWidth: z.number(),
    }),
  ),
  /** Of BLEU. */
  tokenizer: z.enum(['13a', 'intl', 'zh', 'char', 'none']),
  /** [sentences] */
  outputs: z.array(z.string()),
  references: z.array(z.string()),
});

const choices = {
  acc: z.number(),
  chance: z.number(),
  /** 95 % of `acc`, items drawn again. */
  interval,
  /** [items] whether each was right by `acc`. */
  correct: z.array(z.boolean()),
};

const choice = z.object({
  type: z.literal('choice'),
  ...common,
  ...choices,
  language: z.string(),
  accNorm: z.number(),
  accBytes: z.number(),
});

const translationChoice = z.object({
  type: z.literal('translationChoice'),
  ...common,
  ...choices,
  source: z.string(),
  target: z.string(),
});

const alignment = z.object({
  type: z.literal('alignment'),
  ...common,
  alignment: alignmentSchema,
  seed: z.number(),
  /** [draws] resampled `lac`. */
  draws: z.array(z.number()),
});

const questions = z.object({
  type: z.literal('questions'),
  ...common,
  language: z.string(),
  /** Means over the questions, 0 to 1. */
  exactMatch: z.number(),
  f1: z.number(),
  f1Characters: z.number(),
  /** 95 % of `f1`, questions drawn again. */
  interval,
  /** [questions] F1 of each. */
  f1s: z.array(z.number()),
});

const task = z.discriminatedUnion('type', [
  perplexity,
  translation,
  translationChoice,
  alignment,
  choice,
  questions,
]);

/** Tells our files from others. */
const format = 'crossmap suite results';

/** A file of results. */
export const suiteResultsSchema = z.object({
  format: z.literal(format),
  version: z.literal(1),
  /** Name of the run that trained the model. */
  run: z.string(),
  /** Of that run. */
  seed: z.number(),
  step: z.number(),
  /** The checkpoint. */
  model: z.string(),
  /** The suite's file. */
  suite: z.string(),
  /** Of the suite: how intervals are drawn. */
  draws: z.object({draws: z.number(), seed: z.number()}),
  tasks: z.array(task),
});

/** What a suite found of a model. */
export type SuiteResults = z.output<typeof suiteResultsSchema>;

/** What one task found. */
export type TaskResult = SuiteResults['tasks'][number];

/** What one task of a kind found. */
export type ResultOf<Type extends TaskResult['type']> = Extract<TaskResult, {type: Type}>;

/** A result without what all have. */
export type Found<Type extends TaskResult['type']> = Omit<ResultOf<Type>, 'name' | 'seconds'>;

/** Results as a file has them. */
export function suiteResults(content: Omit<SuiteResults, 'format' | 'version'>): SuiteResults {
  return {format, version: 1, ...content};
}
