/** The sections `data` and `tokenizer`: which text a run learns from and how it is mixed. */
import {z} from 'zod';
import {
  atLeast,
  choice,
  files,
  language,
  list,
  name,
  positive,
  section,
  share,
  shareBelowOne,
  text,
  wholeNumber,
} from './fields.js';

/** Options that say where text of one language lies. */
export const textFields = {
  language: language().describe('Language of the text; also the name of its control token.'),
  files: files().describe(
    'Text files, or patterns such as `text/*.txt.gz`; plain, gzip or Zstandard: one sentence a line, a blank line between documents. ' +
      'Or JSON lines or Parquet with a document in each record.',
  ),
  format: choice(['text', 'jsonl', 'parquet'])
    .exactOptional()
    .describe('Format of the files; default: by their names, `text` for names that say nothing.')
    .meta({examples: ['text']}),
  field: text()
    .exactOptional()
    .describe('Field of each record that holds its text, such as `text` (default) or `page.text`.')
    .meta({examples: ['text']}),
};

const monolingual = section(textFields);

/** Options that say where sentence pairs lie. */
export const pairFields = {
  source: language().describe('Language of the first side.'),
  target: language().describe('Language of the second side.'),
  files: z
    .tuple([text(), text()], {error: 'two files with matching lines: [source file, target file]'})
    .exactOptional()
    .describe('Moses style: two files with matching lines, source first. Give this or `file`.')
    .meta({examples: [['text.en', 'text.cs']]}),
  file: files()
    .exactOptional()
    .describe(
      'Files, or patterns, that hold both sides: tab-separated, JSON lines, Parquet, TMX or PO. Give this or `files`.',
    ),
  format: choice(['tsv', 'jsonl', 'parquet', 'tmx', 'po'])
    .exactOptional()
    .describe('Format of `file`; default: by its name, `tsv` for names that say nothing.')
    .meta({examples: ['tsv']}),
  columns: z
    .tuple([wholeNumber(0), wholeNumber(0)], {error: 'two columns, counted from 0: [source, target]'})
    .exactOptional()
    .describe('Columns of tab-separated files that hold source and target, counted from 0; default [0, 1].')
    .meta({examples: [[0, 1]]}),
  fields: z
    .tuple([text(), text()], {error: 'two fields of each record: [source, target]'})
    .exactOptional()
    .describe(
      'Fields of each record that hold source and target, such as `translation.en`; default: the two languages, alone or in `translation`.',
    )
    .meta({examples: [['translation.en', 'translation.cs']]}),
};

const parallel = section({
  ...pairFields,
  target: language().describe('Language of the second side. Both directions are always trained.'),
  name: name()
    .exactOptional()
    .describe('Name of the source of pairs, for `data.stages`; entries may share one. Default: none.')
    .meta({examples: ['web']}),
});

const stage = section({
  share: share().describe('Share of the steps of training; those of all stages sum to 1.'),
  pairs: name().describe('Name of the source of pairs of the stage, as `data.parallel` gives it.'),
});

const heldOut = section({
  documentShare: shareBelowOne()
    .default(0.02)
    .describe('Share of the documents of each language kept out of training, for perplexity.'),
  pairs: wholeNumber(0)
    .default(200)
    .describe('Pairs of each language pair kept out of training, for alignment and translation.'),
});

const filters = section({
  lengthRatio: z
    .number({error: 'a number of at least 1'})
    .min(1, {error: 'a number of at least 1'})
    .default(3)
    .describe('A pair is left out where one side has more than so many times the letters of the other.'),
  scriptShare: share()
    .default(0.3)
    .describe(
      'Documents and pairs are left out where a smaller share of the letters is in the script of their language; 0 leaves out none.',
    ),
  nearDuplicates: z
    .union([z.literal('off'), z.number().gt(0).max(1)], {error: 'off, or a number above 0, at most 1'})
    .default(0.8)
    .describe(
      'Of documents, and of pairs, whose sets of five letters have this Jaccard similarity one is kept; `off` looks for equal ones alone.',
    ),
});

export const data = section({
  root: text().default('.').describe('Folder that relative files of `data` and `tokenizer` start from.'),
  monolingual: list(monolingual, 'corpora').exactOptional().describe('Text of one language each.'),
  parallel: list(parallel, 'parallel corpora')
    .exactOptional()
    .describe('Sentence pairs of two languages each.'),
  filters: filters.prefault({}).describe('What is left out, besides what is empty, equal or held out.'),
  heldOut: heldOut.prefault({}).describe('What is kept out of training to measure it.'),
  alpha: atLeast(0)
    .default(0)
    .describe('Languages are drawn in proportion to size^alpha: 0 gives equal shares, 1 natural shares.'),
  maxEpochs: positive()
    .default(4)
    .describe('No corpus is repeated more often; its excess share goes to the other languages.'),
  mappingShare: share().default(0.25).describe('Share of the tokens of training that pairs take.'),
  mappingSchedule: z
    .union([choice(['constant', 'late']), list(z.tuple([wholeNumber(0), share()]), 'steps and shares')], {
      error: 'constant, late, or a list of [step, share]',
    })
    .default('constant')
    .describe('When pairs come: `constant`; `late`, all in the last steps; or a list of [step, share].'),
  stages: list(stage, 'stages')
    .exactOptional()
    .describe(
      'A curriculum: parts of training, in order, each with pairs of one source alone. Default: one stage with all pairs.',
    ),
});

export const tokenizer = section({
  vocabSize: wholeNumber(300)
    .default(8192)
    .describe(
      'Entries of the byte-level BPE vocabulary that is trained on the data; above 256 bytes and control tokens.',
    ),
  file: text()
    .exactOptional()
    .describe('A tokenizer.json to use instead of training one.')
    .meta({examples: ['tokenizer.json']}),
});
