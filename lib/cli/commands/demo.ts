/** `crossmap demo`: trains a small model on the text that comes with the package. */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Command} from 'commander';
import type {EvaluationEvent, SampleTranslation} from '../../train/index.js';
import {quoted} from '../describe-event.js';
import {addSetOption, readConfigFile, type SetOptions} from '../config-file.js';
import {addDeviceOption, deviceOverride, useDeviceOf, type DeviceOptions} from '../device-option.js';
import {addPageOption, type PageOptions} from '../page-option.js';
import {printLines} from '../print.js';
import {runTraining} from '../run-training.js';

/** Translations that are shown, one of each direction. */
const shownTranslations = 6;

interface DemoCommandOptions extends SetOptions, DeviceOptions, PageOptions {
  readonly output: string;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command.option('--output <folder>', 'folder of the run; an earlier demo in it is replaced', 'runs/demo');
  addPageOption(addDeviceOption(addSetOption(command)))
    .option('--json', 'print each event as a line of JSON')
    .addHelpText(
      'after',
      `
Examples:
  crossmap demo
  crossmap demo --page
  crossmap demo --output runs/longer --set training.steps=2000
  crossmap translate runs/demo --from en --to cs "All people are born free."`,
    )
    .action(async ({output, set = [], json, page, ...options}: DemoCommandOptions) => {
      const file = fileURLToPath(new URL('../../../../data/demo.yaml', import.meta.url)); // from dist/lib/cli/commands
      const config = await readConfigFile(file, {
        set: [`output=${JSON.stringify(output)}`, ...deviceOverride(options), ...set],
      });
      useDeviceOf(config);
      const {finished, lastEvaluation} = await runTraining(config, {
        resume: 'never',
        json: json === true,
        ...(page !== undefined && {page}),
      });
      if (json) return;
      if (!finished) printLines(['', `Go on: crossmap train ${join(output, 'config.json')}`]);
      else if (lastEvaluation !== undefined) printLines(closingWords(lastEvaluation, output));
    });
}

function closingWords({samples}: EvaluationEvent, output: string): string[] {
  return [
    '',
    'Held-out sentences as the model translates them:',
    ...samples.filter(isFirstOfDirection).slice(0, shownTranslations).flatMap(translationLines),
    '',
    'A model this small, trained for minutes on little text, has learnt the scripts, the commonest words and that a',
    'translation differs by target language. It does not translate: most output is wrong or repeats itself. What to look',
    'at is the direction of the scores above; real quality takes more text, a larger model and hours to days.',
    '',
    `Go on: crossmap translate ${output} --from en --to cs "All people are born free."`,
  ];
}

function isFirstOfDirection(
  sample: SampleTranslation,
  index: number,
  all: readonly SampleTranslation[],
): boolean {
  return index === all.findIndex(({source, target}) => source === sample.source && target === sample.target);
}

function translationLines({source, target, input, reference, output}: SampleTranslation): string[] {
  return [
    `  ${source} to ${target}`,
    `    source     ${quoted(input)}`,
    `    reference  ${quoted(reference)}`,
    `    model      ${quoted(output)}`,
  ];
}
