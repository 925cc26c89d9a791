/** All commands together. */
import {Command} from 'commander';
import {version} from '../version.js';

/** What a file in commands exports. */
interface CommandModule {
  define(command: Command): void;
}

interface Listed {
  readonly name: string;
  readonly what: string;
  readonly load: () => Promise<CommandModule>;
}

/** As help lists them. What a command needs is loaded when it is named: all together take longer to start than Node does. */
const listed: readonly Listed[] = [
  {
    name: 'demo',
    what: 'Train a small model on bundled text in several languages, in a few minutes.',
    load: () => import('./commands/demo.js'),
  },
  {
    name: 'init',
    what: 'Write a configuration to start from, with the options explained.',
    load: () => import('./commands/init.js'),
  },
  {
    name: 'data',
    what: 'Prepare the data of a configuration and print what was read, dropped, held out and how it is mixed.',
    load: () => import('./commands/data.js'),
  },
  {
    name: 'train',
    what: 'Train as a configuration says. A run that was stopped or killed goes on from its newest checkpoint; Ctrl-C saves and stops.',
    load: () => import('./commands/train.js'),
  },
  {
    name: 'eval',
    what: 'Measure a model on the held-out text of its run: perplexity, alignment, retrieval, translations.',
    load: () => import('./commands/eval.js'),
  },
  {
    name: 'lac',
    what: 'Measure how well two languages line up in a model (LAC, crossmap definition), layer by layer, and which of two models is better.',
    load: () => import('./commands/lac.js'),
  },
  {
    name: 'compare',
    what: 'Compare models by the results that crossmap eval --suite wrote of each.',
    load: () => import('./commands/compare.js'),
  },
  {
    name: 'generate',
    what: 'Continue a prompt, or standard input, in one of the languages of a model.',
    load: () => import('./commands/generate.js'),
  },
  {
    name: 'translate',
    what: 'Translate a text, or each line of standard input.',
    load: () => import('./commands/translate.js'),
  },
  {
    name: 'import',
    what: 'Make a model of the Llama family, in the files of Hugging Face, one that crossmap goes on with.',
    load: () => import('./commands/import.js'),
  },
  {
    name: 'export',
    what: 'Write the model of a run for other programs.',
    load: () => import('./commands/export.js'),
  },
  {
    name: 'info',
    what: 'Print versions, the native addon, devices and their memory, and the plans of GPU kernels.',
    load: () => import('./commands/info.js'),
  },
  {
    name: 'build',
    what: 'Compile the native addon from source: for machines that no prebuilt package is for.',
    load: () => import('./commands/build.js'),
  },
  {
    name: 'bench',
    what: 'Count what the GPU kernels of ops do, on the emulator, and model their time on a GPU.',
    load: () => import('./commands/bench.js'),
  },
];

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

/**
 * A program whose mistakes are thrown, so that one place tells them.
 *
 * @param args what it will be run with: of the command that they name all is there, of the others what help lists
 */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('crossmap')
    .description('Pre-trains multilingual decoder language models with cross-lingual mapping.')
    .version(version, '-V, --version', 'print the version')
    .usage('[options] <command>')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand(false)
    .configureHelp({subcommandTerm: (command) => command.name()})
    .addHelpText('after', help);
  const named = args.find((arg) => !arg.startsWith('-'));
  for (const {name, what, load} of listed) {
    const command = new Command(name).description(what).helpOption('-h, --help', 'explain this command');
    if (name === named) (await load()).define(command);
    command.option('--debug', 'on failure, print where in the program it arose');
    program.addCommand(command);
  }
  for (const command of [program, ...program.commands])
    command
      .showSuggestionAfterError()
      .exitOverride()
      .configureOutput({outputError: () => undefined});
  return program;
}
