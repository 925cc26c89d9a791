/** All commands together. */
import {Command} from 'commander';
import {version} from '../version.js';
import {benchCommand} from './commands/bench.js';
import {buildCommand} from './commands/build.js';
import {compareCommand} from './commands/compare.js';
import {dataCommand} from './commands/data.js';
import {demoCommand} from './commands/demo.js';
import {evalCommand} from './commands/eval.js';
import {exportCommand} from './commands/export.js';
import {generateCommand} from './commands/generate.js';
import {importCommand} from './commands/import.js';
import {infoCommand} from './commands/info.js';
import {initCommand} from './commands/init.js';
import {lacCommand} from './commands/lac.js';
import {trainCommand} from './commands/train.js';
import {translateCommand} from './commands/translate.js';

const help = `
Examples:
  crossmap demo                                        a small model on bundled text, in minutes
  crossmap init --languages en,cs                      write train.yaml, to name your text in
  crossmap train train.yaml                            train; run it again to go on where it stopped
  crossmap train train.yaml --set training.steps=500   change an option for this run
  crossmap eval runs/train                             measure the newest checkpoint of a run
  crossmap translate runs/train --from en --to cs "Good morning."

crossmap train --help lists all options of a configuration. Exit codes: 0 done, 1 failed, 2 a mistake in the
command line or the configuration, 130 stopped by Ctrl-C with its state saved.`;

/** A program whose mistakes are thrown, so that one place tells them. */
export function createProgram(): Command {
  const program = new Command('crossmap')
    .description('Pre-trains multilingual decoder language models with cross-lingual mapping.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand(false)
    .addHelpText('after', help);
  const commands = [
    demoCommand(),
    initCommand(),
    dataCommand(),
    trainCommand(),
    evalCommand(),
    lacCommand(),
    compareCommand(),
    generateCommand(),
    translateCommand(),
    importCommand(),
    exportCommand(),
    infoCommand(),
    buildCommand(),
    benchCommand(),
  ];
  for (const command of commands) {
    command.helpOption('-h, --help', 'explain this command');
    command.option('--debug', 'on failure, print where in the program it arose');
    program.addCommand(command);
  }
  for (const command of [program, ...commands])
    command
      .showSuggestionAfterError()
      .exitOverride()
      .configureOutput({outputError: () => undefined});
  return program;
}
