/** `crossmap train`: trains as a configuration says. */
import {Option, type Command} from 'commander';
import {describeOptions} from '../../config/index.js';
import type {Resume} from '../../train/index.js';
import {addSetOption, readConfigFile, type SetOptions} from '../config-file.js';
import {addDeviceOption, deviceOverride, useDeviceOf, type DeviceOptions} from '../device-option.js';
import {optionLine} from '../option-line.js';
import {addPageOption, type PageOptions} from '../page-option.js';
import {addProfileOptions, openStepProfiler, type ProfileOptions} from '../profile-steps.js';
import {runTraining} from '../run-training.js';

interface TrainCommandOptions extends SetOptions, DeviceOptions, PageOptions, ProfileOptions {
  readonly fresh?: true;
  readonly resume?: true;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command.argument('<config>', 'a YAML file');
  addProfileOptions(addPageOption(addDeviceOption(addSetOption(command))))
    .addOption(new Option('--fresh', 'start anew: what an earlier run left is removed').conflicts('resume'))
    .option('--resume', 'go on from a checkpoint, and fail if there is none')
    .option('--json', 'print each event as a line of JSON')
    .addHelpText('after', () => help())
    .action(async (path: string, options: TrainCommandOptions) => {
      const set = [...deviceOverride(options), ...(options.set ?? [])];
      const config = await readConfigFile(path, {set});
      useDeviceOf(config);
      const profiler = await openStepProfiler(config, options);
      await runTraining(config, {
        resume: resumeOf(options),
        json: options.json === true,
        ...(options.page !== undefined && {page: options.page}),
        ...(profiler && {profiler}),
      });
    });
}

function resumeOf({fresh, resume}: TrainCommandOptions): Resume {
  if (fresh) return 'never';
  return resume ? 'require' : 'auto';
}

function help(): string {
  return `
The output folder gets config.json, metrics.jsonl, checkpoints/ and report.html.

The smallest configuration, train.yaml:
  data:
    monolingual:
      - {language: cs, files: cs.txt}
      - {language: en, files: en.txt}
    parallel:
      - {source: en, target: cs, file: en-cs.tsv}

Examples:
  crossmap train train.yaml
  crossmap train train.yaml --set model.layers=8 --set training.steps=5000
  crossmap train train.yaml --page
  crossmap train train.yaml --profile trace.json --profile-steps 10-12
  crossmap train train.yaml --json | jq 'select(.type == "evaluation").perplexity'

Options of a configuration, [] standing for an item of a list:
${describeOptions().map(optionLine).join('\n')}`;
}
