/** `crossmap lac`: how well a model's languages line up, on sentence pairs of one's own or on embeddings from elsewhere. */
import type {Command} from 'commander';
import {readSides} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import {
  compareAlignments,
  encodePairs,
  measureAlignment,
  readEmbeddings,
  type EncodedPairs,
  type MeasuredAlignment,
} from '../../eval/index.js';
import {loadModel} from '../../train/index.js';
import {describeAlignment, describeDifference} from '../describe-alignment.js';
import {addDeviceOption, loadOptionsOf, useDeviceOption, type DeviceOptions} from '../device-option.js';
import {untilInterrupted} from '../interrupt.js';
import {chosenLanguage} from '../languages.js';
import {wholeNumber} from '../numbers.js';
import {printJson, printLines} from '../print.js';
import {addThreadsOption, type ThreadsOptions} from '../threads-option.js';

interface LacCommandOptions extends DeviceOptions, ThreadsOptions {
  readonly from?: string;
  readonly to?: string;
  readonly pairs?: readonly string[];
  readonly embeddings?: readonly string[];
  readonly limit: number;
  readonly draws: number;
  readonly seed: number;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .argument('[runs...]', 'output folder of a run, or one of its checkpoints; two are compared')
    .option(
      '--pairs <files...>',
      'sentence pairs: two files with matching lines, or one TSV, JSONL, Parquet, TMX or PO',
    )
    .option('--from <code>', 'language of the first side')
    .option('--to <code>', 'language of the second side')
    .option(
      '--embeddings <files...>',
      'instead of runs: safetensors files with tensors en.0, en.1, ..., cs.0, cs.1, ...',
    )
    .option('--limit <n>', 'pairs that are measured, at most', wholeNumber(8), 1000)
    .option('--draws <n>', 'draws of the intervals', wholeNumber(1), 1000)
    .option('--seed <n>', 'seed of the draws', wholeNumber(0), 0)
    .option('--json', 'print JSON');
  addThreadsOption(addDeviceOption(command))
    .addHelpText(
      'after',
      `
LAC is 0 where a sentence and its translation have no more in common than chance, 1 where they are the same to the
model. The sentences must not be among those that the model was trained on. 100 pairs or more are advised.

A file of embeddings has, for each language and hidden state, a tensor [sentences, features]; sentence n of each
language is a translation of sentence n of the others. Without layers the name is the language alone. An integer
tensor en.tokens [sentences] takes out of LAC what the length of sentences explains.

Examples:
  crossmap lac runs/train --from en --to cs --pairs test.en test.cs
  crossmap lac runs/mono runs/full --from en --to cs --pairs test.tsv
  crossmap lac --embeddings labse.safetensors --from en --to cs`,
    )
    .action(async (runs: readonly string[], options: LacCommandOptions) => {
      useDeviceOption(options);
      const results = await untilInterrupted((signal) => measureAll(runs, {...options, signal}));
      const [first, second] = results;
      const difference = first && second && compareAlignments(first, second);
      const alignments = results.map(({alignment}) => alignment);
      if (options.json) printJson({alignments, ...(difference && {difference})});
      else
        printLines([
          ...alignments.flatMap((alignment, index) => [
            ...describeAlignment(alignment, [...runs, ...(options.embeddings ?? [])][index] ?? ''),
            '',
          ]),
          ...(difference ? describeDifference(difference) : []),
        ]);
    });
}

interface MeasureOptions extends LacCommandOptions {
  readonly signal: AbortSignal;
}

async function measureAll(runs: readonly string[], options: MeasureOptions): Promise<MeasuredAlignment[]> {
  const {embeddings = [], draws, seed} = options;
  const count = runs.length + embeddings.length;
  if (count < 1 || count > 2)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `one run or file of embeddings is needed, or two to compare; got ${count}`,
    );
  const results: MeasuredAlignment[] = [];
  for (const run of runs) results.push(measureAlignment({...(await encodeRun(run, options)), draws, seed}));
  for (const file of embeddings)
    results.push(measureAlignment({...(await embeddedPair(file, options)), draws, seed}));
  return results;
}

async function encodeRun(run: string, options: MeasureOptions): Promise<EncodedPairs> {
  const {pairs: files, signal} = options;
  if (files === undefined || files.length > 2)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      '--pairs is needed: two files with matching lines, or one file with both sides',
    );
  using model = await loadModel(run, loadOptionsOf(options));
  const {decoder, tokenizer, config} = model;
  const source = chosenLanguage(tokenizer, '--from', options.from);
  const target = chosenLanguage(tokenizer, '--to', options.to);
  const [first = '', second] = files;
  const sides = second === undefined ? {file: [first]} : {files: [first, second] as const};
  const corpus = {source, target, option: '--pairs', ...sides};
  const pairs = await readSides(corpus, {limit: options.limit, signal});
  return await encodePairs(decoder, tokenizer, pairs, {
    tokensPerBatch: config.training.tokensPerBatch,
    prefix: config.objectives.mapping.prefix,
    signal,
  });
}

async function embeddedPair(file: string, {from, to}: MeasureOptions): Promise<EncodedPairs> {
  const embeddings = await readEmbeddings(file);
  const [first = '', second = ''] = embeddings.languages;
  if ((from === undefined || to === undefined) && embeddings.languages.length > 2)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `--from and --to are needed: ${file} has ${embeddings.languages.join(', ')}`,
    );
  return embeddings.pair(from ?? first, to ?? second);
}
