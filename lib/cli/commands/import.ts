/** `crossmap import`: a Hugging Face model becomes one that every other command takes. */
import {join} from 'node:path';
import {InvalidArgumentError, Option, type Command} from 'commander';
import {stringify} from 'yaml';
import type {FloatDType} from '../../tensor/index.js';
import {importModel, type ImportedModel} from '../../train/index.js';
import {dtypeOption} from '../dtype-option.js';
import {untilInterrupted} from '../interrupt.js';
import {withModelProgress} from '../model-progress.js';
import {count, plural} from '../format.js';
import {wholeNumber} from '../numbers.js';
import {printJson, printLines} from '../print.js';

interface ImportCommandOptions {
  readonly languages?: readonly string[];
  readonly dtype?: FloatDType;
  readonly context?: number;
  readonly force?: true;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .argument('<folder>', 'has config.json, tokenizer.json and safetensors files')
    .argument('<output>', 'folder of the imported model')
    .addOption(
      new Option(
        '--languages <codes>',
        'languages that get a control token, separated by commas; default those that the tokenizer has one for',
      ).argParser(languageCodes),
    )
    .addOption(dtypeOption('dtype of the weights; default that of the stored ones'))
    .option(
      '--context <n>',
      'tokens of the longest segment, at most what the model was made for, the default',
      wholeNumber(8),
    )
    .option('--force', 'replace an earlier import')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Models that crossmap exported keep their control tokens. Others get some: <bos> and <eos> are the tokens that start and end a
text in the model; <map> and one token for each language are reserved tokens of the tokenizer where it has enough, else new
ones. Rows of tokens that were never trained are set to the mean row.

Examples:
  crossmap import models/llama imported/llama --languages en,cs
  crossmap import models/llama imported/llama --languages en,cs --dtype bfloat16 --context 2048
  crossmap eval imported/llama --suite suite.yaml
  crossmap train train.yaml --set training.from=imported/llama`,
    )
    .action(async (folder: string, output: string, options: ImportCommandOptions) => {
      const {languages = [], dtype, context, force, json} = options;
      const imported = await untilInterrupted((signal) =>
        withModelProgress(process.stderr, (onProgress) =>
          importModel(folder, output, {
            languages,
            ...(dtype && {dtype}),
            ...(context !== undefined && {context}),
            ...(force && {force}),
            onProgress,
            signal,
          }),
        ),
      );
      if (json) printJson(facts(imported));
      else printLines(describe(imported));
    });
}

function languageCodes(text: string): string[] {
  const codes = text.split(',').map((code) => code.trim());
  if (codes.includes('')) throw new InvalidArgumentError('They must be codes such as en,cs.');
  return codes;
}

function facts({path, config, served, ...numbers}: ImportedModel): object {
  const {dtype, model} = config;
  return {path, dtype, model, ...numbers, served: Object.fromEntries(served)};
}

function describe(imported: ImportedModel): string[] {
  const {path, config, parameterCount, vocabSize, served, addedTokens, freshRows, droppedRows} = imported;
  const {dtype, model} = config;
  const pairs = [...served].map(([name, token]) => `${name} is ${token}`);
  return [
    `imported into ${path}: ${count(parameterCount)} parameters, ${dtype}, ${plural(model.layers, 'layer')}, ${count(vocabSize)} tokens`,
    ...(pairs.length > 0 ? [`control tokens: ${pairs.join(', ')}`] : []),
    ...(addedTokens > 0 ? [`${plural(addedTokens, 'control token')} added`] : []),
    ...(freshRows > 0
      ? [`${plural(freshRows, 'row')} of the embedding and the head set to the mean row`]
      : []),
    ...(droppedRows > 0 ? [`${plural(droppedRows, 'row')} that no token has left out`] : []),
    '',
    'to train on, in a configuration:',
    ...snippet(imported).map((line) => `  ${line}`),
  ];
}

/** What a configuration that starts from the model must say. */
function snippet({path, config: {dtype, model}}: ImportedModel): string[] {
  const sections = {dtype, tokenizer: {file: join(path, 'tokenizer.json')}, model, training: {from: path}};
  return Object.entries(sections).map(([name, value]) =>
    stringify({[name]: value}, {collectionStyle: 'flow', lineWidth: 0})
      .trim()
      .replace(/^\{ (.*) \}$/, '$1'),
  );
}
