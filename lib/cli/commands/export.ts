/** `crossmap export`: a trained model in the files of other programs. */
import {InvalidArgumentError, Option, type Command} from 'commander';
import type {FloatDType} from '../../tensor/index.js';
import {exportFormats, exportModel, type ExportFormat} from '../../train/index.js';
import {dtypeOption} from '../dtype-option.js';
import {untilInterrupted} from '../interrupt.js';
import {withModelProgress} from '../model-progress.js';
import {printJson, printLines} from '../print.js';

interface ExportCommandOptions {
  readonly format: ExportFormat;
  readonly dtype?: FloatDType;
  readonly maxShardSize?: number;
  readonly force?: true;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .argument('<run>', 'output folder of a run, or one of its checkpoints')
    .argument('<output>', 'where it is written')
    .addOption(
      new Option(
        '--format <name>',
        'hf: a folder that the transformers library of Hugging Face reads; gguf: a file for llama.cpp',
      )
        .choices(exportFormats)
        .default('hf'),
    )
    .addOption(dtypeOption('dtype of the weights; default that of the model'))
    .option(
      '--max-shard-size <size>',
      'size of the tensors of one file, such as 500MB or 4GiB; default 5GB',
      sizeInBytes,
    )
    .option('--force', 'replace an earlier export')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  crossmap export runs/train models/mine
  crossmap export runs/train/checkpoints/step-000500 models/mine --dtype bfloat16 --max-shard-size 2GB
  crossmap export runs/train mine.gguf --format gguf  for llama.cpp
  crossmap import models/mine imported/mine           the same model again`,
    )
    .action(async (run: string, output: string, options: ExportCommandOptions) => {
      const {format, dtype, maxShardSize: maxShardBytes, force, json} = options;
      const exported = await untilInterrupted((signal) =>
        withModelProgress(process.stderr, (onProgress) =>
          exportModel(run, output, {
            format,
            ...(dtype && {dtype}),
            ...(maxShardBytes !== undefined && {maxShardBytes}),
            ...(force && {force}),
            onProgress,
            signal,
          }),
        ),
      );
      if (json) {
        printJson(exported);
        return;
      }
      const {checkpoint, path, dtype: stored, notes} = exported;
      printLines([`exported ${checkpoint} to ${path}, ${stored}`, ...notes.map((note) => `note: ${note}`)]);
    });
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** `5GB`, `500 MB`, `4GiB`, or bytes. */
function sizeInBytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(digits) * (units[unit.toUpperCase()] ?? NaN));
  if (digits === '' || !Number.isSafeInteger(bytes) || bytes < 1)
    throw new InvalidArgumentError('It must be a size such as 500MB, 4GiB or 1000000.');
  return bytes;
}
