/** What `crossmap eval --suite` measures a model on: one schema, as for a configuration. */
import {z} from 'zod';
import {pairFields, textFields} from './data.js';
import {choice, list, section, text, wholeNumber} from './fields.js';

const common = {
  name: text().exactOptional().describe('Name of the task in results; default its kind and languages.'),
  limit: wholeNumber(1).exactOptional().describe('Items that are measured, at most; default all.'),
};

const perplexity = section({
  type: z.literal('perplexity').describe('Perplexity and bits per byte of documents.'),
  ...common,
  ...textFields,
});

const translation = section({
  type: z.literal('translation').describe('Translations, scored against the other side.'),
  ...common,
  ...pairFields,
  metrics: list(choice(['bleu', 'chrf', 'chrf++']), 'metrics')
    .default(['bleu', 'chrf', 'chrf++'])
    .describe('Scores, as sacreBLEU computes them.'),
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
});

export const suiteSchema = section({
  seed: wholeNumber(0).default(0).describe('Of the draws of intervals and of candidates.'),
  draws: wholeNumber(1).default(1000).describe('Draws of the intervals.'),
  tasks: list(
    z.discriminatedUnion('type', [perplexity, translation, translationChoice, alignment, choices, questions]),
    'tasks',
  ).describe('What is measured, in this order.'),
});

export type ParsedSuite = z.output<typeof suiteSchema>;
