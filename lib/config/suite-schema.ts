/** What `crossmap eval --suite` measures a model on: one schema, as for a configuration. */
import {z} from 'zod';
import {pairFields, textFields} from './data.js';
import {choice, flag, language, list, section, text, wholeNumber} from './fields.js';

const common = {
  name: text().exactOptional().describe('Name of the task in results; default its kind and languages.'),
  limit: wholeNumber(1).exactOptional().describe('Items that are measured, at most; default all.'),
};

/** Scores of vectors, which need an encoder: the user's, or a decoder of ours. */
const vectorMetrics = ['bertscore', 'crossmap-score'] as const;

/** Scores of translations. */
const translationMetrics = ['bleu', 'chrf', 'chrf++', ...vectorMetrics] as const;

/** What tasks measure. */
const measures = [
  'bits-per-byte',
  ...translationMetrics,
  'lac',
  'p@1',
  'margin-error',
  'acc',
  'exact-match',
  'f1',
] as const;

const perplexity = section({
  type: z.literal('perplexity').describe('Perplexity and bits per byte of documents.'),
  ...common,
  ...textFields,
});

const translation = section({
  type: z.literal('translation').describe('Translations, scored against the other side.'),
  ...common,
  ...pairFields,
  metrics: list(choice(translationMetrics), 'metrics')
    .default(['bleu', 'chrf', 'chrf++'])
    .describe('Scores: as sacreBLEU computes them, BERTScore, and the same with a model of ours.'),
  beams: wholeNumber(1).default(1).describe('Continuations that beam search follows; 1 is greedy.'),
  tokenizer: choice(['13a', 'intl', 'zh', 'char', 'none'])
    .exactOptional()
    .describe('Of BLEU; default zh for Chinese and 13a for all others.'),
});

const translationChoice = section({
  type: z
    .literal('translationChoice')
    .describe('How often the true translation is likelier than those of sentences as long.'),
  ...common,
  ...pairFields,
  candidates: wholeNumber(2).default(4).describe('Translations to choose from, the true one among them.'),
});

const alignment = section({
  type: z.literal('alignment').describe('LAC (crossmap definition), retrieval and others, by layer.'),
  ...common,
  ...pairFields,
});

const choices = section({
  type: z.literal('choice').describe('Which answer to a context is likeliest.'),
  ...common,
  language: textFields.language,
  file: text().describe('JSON lines or Parquet with an item in each record.'),
  contextField: text().default('context').describe('Field with what comes before the answer; may be empty.'),
  choicesField: text().default('choices').describe('Field with the list of answers.'),
  answerField: text().default('answer').describe('Field with the number of the right answer, from 0.'),
});

const questions = section({
  type: z.literal('questions').describe('Answers to questions about a text: exact match and F1 of SQuAD.'),
  ...common,
  language: textFields.language,
  file: text().describe('JSON lines or Parquet with a question in each record.'),
  contextField: text().default('context').describe('Field with the text that the question is about.'),
  questionField: text().default('question').describe('Field with the question.'),
  answerField: text().default('answer').describe('Field with the answer, or with a list whose first counts.'),
  template: text()
    .default('Background: {context}\n\nQuestion: {question}\n\nAnswer:')
    .describe('What the model continues, up to the end of a line.'),
  maxNewTokens: wholeNumber(1).default(32).describe('Tokens of an answer, at most.'),
  metrics: list(choice(vectorMetrics), 'metrics')
    .exactOptional()
    .describe('Further scores of the answers against the first gold one; default none.'),
});

const belowOne = () => {
  const error = 'a number below 1';
  return z.number({error}).lt(1, {error});
};

const idf = flag()
  .default(false)
  .describe('Whether rare tokens count more, by their frequency among the references.');

const bertscore = section({
  encoder: text().describe('ES module that exports `encoder`, which gives tokens their vectors.'),
  idf,
  baselines: list(
    section({
      language: language().describe('Language of the texts that are scored.'),
      precision: belowOne().describe('What unrelated sentences have as precision.'),
      recall: belowOne().describe('What they have as recall.'),
      f1: belowOne().describe('What they have as F1.'),
    }),
    'baselines',
  )
    .exactOptional()
    .describe('Default: values are not rescaled.'),
});

const crossmapScore = section({
  model: text()
    .exactOptional()
    .describe('Run or checkpoint whose middle layer gives the vectors; default the model that is measured.'),
  idf,
});

export const suiteSchema = section({
  seed: wholeNumber(0).default(0).describe('Of the draws of intervals and of candidates.'),
  draws: wholeNumber(1).default(1000).describe('Draws of the intervals.'),
  overlap: choice(['refuse', 'drop', 'allow'])
    .default('refuse')
    .describe(
      'What becomes of items that the model was trained on: an error, left out, or measured all the same.',
    ),
  primary: list(choice(measures), 'measures')
    .exactOptional()
    .describe('What decides, declared before anything is measured: comparisons show it first; default none.'),
  bertscore: bertscore.exactOptional(),
  crossmapScore: crossmapScore.default({idf: false}),
  tasks: list(
    z.discriminatedUnion('type', [perplexity, translation, translationChoice, alignment, choices, questions]),
    'tasks',
  ).describe('What is measured, in this order.'),
});

/** Name of a measure, as `primary` has it. */
export type MeasureName = (typeof measures)[number];

export type ParsedSuite = z.output<typeof suiteSchema>;
