/** `crossmap translate`: translates a text, or line by line. */
import type {Command} from 'commander';
import {CrossmapError} from '../../errors.js';
import {translate} from '../../eval/index.js';
import {loadModel, type LoadedModel} from '../../train/index.js';
import {addDeviceOption, loadOptionsOf, useDeviceOption, type DeviceOptions} from '../device-option.js';
import {untilInterrupted} from '../interrupt.js';
import {chosenLanguage} from '../languages.js';
import {wholeNumber} from '../numbers.js';
import {printJsonLine} from '../print.js';
import {lineOrInput} from '../read-input.js';
import {addThreadsOption, type ThreadsOptions} from '../threads-option.js';
import {visibleOn} from '../visible.js';

interface TranslateCommandOptions extends DeviceOptions, ThreadsOptions {
  readonly from: string;
  readonly to: string;
  readonly maxTokens?: number;
  readonly beams: number;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .argument('<run>', 'output folder of a run, or one of its checkpoints')
    .argument('[text]', 'the sentence to translate; default the lines of standard input')
    .requiredOption('--from <code>', 'language of the text')
    .requiredOption('--to <code>', 'language to translate into')
    .option(
      '--max-tokens <n>',
      'tokens of a translation, at most; default twice those of the source, and 20',
      wholeNumber(1),
    )
    .option('--beams <n>', 'translations that beam search follows; 1 is greedy', wholeNumber(1), 1)
    .option('--json', 'print each translation as a line of JSON');
  addThreadsOption(addDeviceOption(command))
    .addHelpText(
      'after',
      `
Examples:
  crossmap translate runs/train --from en --to cs "Good morning."
  crossmap translate runs/train --from en --to cs < english.txt > czech.txt`,
    )
    .action(async (folder: string, text: string | undefined, options: TranslateCommandOptions) => {
      useDeviceOption(options);
      await untilInterrupted((signal) => translateLines(folder, text, {...options, signal}));
    });
}

type Direction = TranslateCommandOptions & {readonly signal: AbortSignal};

async function translateLines(folder: string, text: string | undefined, options: Direction): Promise<void> {
  const lines = lineOrInput(text, 'TEXT');
  using model = await loadModel(folder, loadOptionsOf(options));
  const from = chosenLanguage(model.tokenizer, '--from', options.from);
  const to = chosenLanguage(model.tokenizer, '--to', options.to);
  let number = 0;
  for await (const input of lines) {
    number++;
    const output = await translateLine(model, input, {...options, from, to}).catch((error: unknown) => {
      if (text !== undefined || !isRefused(error)) throw error;
      // One line in, one line out, also for a line that the model cannot take.
      process.stderr.write(`line ${number} is left empty: ${error.message}\n`);
      return '';
    });
    if (options.json) printJsonLine({source: from, target: to, input, output});
    else process.stdout.write(`${visibleOn(process.stdout, output)}\n`);
  }
}

async function translateLine(
  {decoder, tokenizer, config}: LoadedModel,
  text: string,
  {from: source, to: target, maxTokens = Infinity, beams, signal}: Direction,
): Promise<string> {
  if (text.trim() === '') return '';
  const [output = ''] = await translate(
    decoder,
    tokenizer,
    {source, target, texts: [text]},
    {maxNewTokens: maxTokens, beams, prefix: config.objectives.mapping.prefix, signal},
  );
  return output.replaceAll('\n', ' '); // a line in, a line out
}

/** Whether an error is about the text, not about the model or the machine. */
function isRefused(error: unknown): error is CrossmapError {
  return error instanceof CrossmapError && error.code === 'ERR_ARGUMENT';
}
