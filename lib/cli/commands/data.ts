/** `crossmap data`: prepares the data of a configuration and tells what became of it. */
import type {Command} from 'commander';
import {prepareData} from '../../data/index.js';
import {addSetOption, readConfigFile, type SetOptions} from '../config-file.js';
import {createDataProgress} from '../data-progress.js';
import {describeData, describeExamples} from '../describe-data.js';
import {printJson, printLines} from '../print.js';
import {untilInterrupted} from '../interrupt.js';

interface DataCommandOptions extends SetOptions {
  readonly json?: true;
  readonly examples?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command.argument('<config>', 'a YAML file');
  addSetOption(command)
    .option('--json', 'print JSON')
    .option('--examples', 'show some of the text that was left out, by reason')
    .addHelpText(
      'after',
      `
Training prepares its data by itself; this shows it beforehand, and training then takes what is there.
What was finished when it is stopped or killed is not done again.

Examples:
  crossmap data train.yaml
  crossmap data train.yaml --examples
  zcat en-cs.tsv.gz | crossmap data train.yaml          with file: "-" in data.parallel
  crossmap data train.yaml --set data.alpha=0.3 --json | jq .languages`,
    )
    .action(async (path: string, {json, examples, ...options}: DataCommandOptions) => {
      const config = await readConfigFile(path, options);
      const view = createDataProgress(process.stderr);
      const {report, folder} = await untilInterrupted(
        (signal) => prepareData(config, {readInput: true, signal, onProgress: view.show}),
        {onQuit: view.stop},
      ).finally(view.stop);
      if (json) printJson(report);
      else
        printLines([
          ...describeData(report),
          ...(examples ? ['', 'left out, for example:', ...describeExamples(report)] : []),
          '',
          `prepared data: ${folder}`,
        ]);
    });
}
