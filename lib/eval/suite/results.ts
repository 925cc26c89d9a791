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
  /** Whether the model was trained on items; absent in files of older versions. */
  overlap: z
    .discriminatedUnion('checked', [
      z.object({
        checked: z.literal(true),
        /** Items with a sentence that the model was trained on. */
        items: z.number(),
        /** Whether these were left out; else they count. */
        dropped: z.boolean(),
      }),
      z.object({checked: z.literal(false), /** Why not. */ reason: z.string()}),
    ])
    .exactOptional(),
};

const score = z.object({
  metric: z.enum(['bleu', 'chrf', 'chrf++', 'bertscore', 'crossmap-score']),
  /** `BLEU`, `chrF2`, `chrF2++`, `BERTScore P`, ... */
  name: z.string(),
  score: z.number(),
  /** Of scores of vectors their hash. */
  signature: z.string(),
  /** Half the width of the central 95 %, sentences drawn again. */
  halfWidth: z.number(),
  /** [sentences] of scores of vectors, whose mean `score` is. */
  values: z.array(z.number()).exactOptional(),
});

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
  scores: z.array(score),
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
  /** Means over layers 1..layers and both directions; absent in files of older versions. */
  retrieval: z
    .object({
      precisionAt1: z.number(),
      /** 95 %, sentences drawn again; what they are told from stays. */
      precisionInterval: interval,
      /** xsim's error rate. */
      marginError: z.number(),
      marginInterval: interval,
      /** [pairs] of each sentence pair. */
      precisions: z.array(z.number()),
      errors: z.array(z.number()),
    })
    .exactOptional(),
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
  /** The same of `exactMatch`; absent in files of older versions. */
  exactMatchInterval: interval.exactOptional(),
  /** [questions] whether each answer is the gold one. */
  exactMatches: z.array(z.boolean()).exactOptional(),
  /** Scores of vectors, where some are wanted. */
  scores: z.array(score).exactOptional(),
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
  /** Of the suite: the measures that decide; absent where none is declared. */
  primary: z.array(z.string()).exactOptional(),
  /** Of the suite: how intervals are drawn. */
  draws: z.object({draws: z.number(), seed: z.number()}),
  tasks: z.array(task),
});

/** What a suite found of a model. */
export type SuiteResults = z.output<typeof suiteResultsSchema>;

/** A score of outputs against references. */
export type SuiteScore = z.output<typeof score>;

/** What one task found. */
export type TaskResult = SuiteResults['tasks'][number];

/** What one task of a kind found. */
export type ResultOf<Type extends TaskResult['type']> = Extract<TaskResult, {type: Type}>;

/** A result without what all have. */
export type Found<Type extends TaskResult['type']> = Omit<ResultOf<Type>, 'name' | 'seconds' | 'overlap'>;

/** A result of any kind without what all have. */
export type AnyFound = {[Type in TaskResult['type']]: Found<Type>}[TaskResult['type']];

/** Results as a file has them. */
export function suiteResults(content: Omit<SuiteResults, 'format' | 'version'>): SuiteResults {
  return {format, version: 1, ...content};
}
