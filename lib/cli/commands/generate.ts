/** `crossmap generate`: continues a text, shown as it grows. */
import type {Command} from 'commander';
import {textPrompt} from '../../data/index.js';
import {generate} from '../../nn/index.js';
import {loadModel} from '../../train/index.js';
import {addDeviceOption, loadOptionsOf, useDeviceOption, type DeviceOptions} from '../device-option.js';
import {untilInterrupted} from '../interrupt.js';
import {chosenLanguage} from '../languages.js';
import {numberFromZero, shareAboveZero, wholeNumber} from '../numbers.js';
import {printJson} from '../print.js';
import {textOrInput} from '../read-input.js';
import {addThreadsOption, type ThreadsOptions} from '../threads-option.js';
import {visibleOn} from '../visible.js';

interface GenerateCommandOptions extends DeviceOptions, ThreadsOptions {
  readonly language?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP: number;
  readonly seed: number;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .argument('<run>', 'output folder of a run, or one of its checkpoints')
    .argument('[prompt]', 'the text to continue; may be empty; default standard input')
    .option('--language <code>', 'language of the text')
    .option('--max-tokens <n>', 'new tokens, at most', wholeNumber(1), 64)
    .option(
      '--temperature <x>',
      '0 takes the likeliest token each time, 1 draws as the model says',
      numberFromZero,
      0.8,
    )
    .option('--top-k <n>', 'draw only from the n likeliest tokens', wholeNumber(1))
    .option(
      '--top-p <share>',
      'draw only from the likeliest tokens that make up this share',
      shareAboveZero,
      1,
    )
    .option('--seed <n>', 'of the draws: the same seed gives the same text', wholeNumber(0), 1)
    .option('--json', 'print JSON');
  addThreadsOption(addDeviceOption(command))
    .addHelpText(
      'after',
      `
Examples:
  crossmap generate runs/train "Once upon a time" --language en
  crossmap generate runs/train "" --language cs --temperature 0
  echo "Once upon a time" | crossmap generate runs/train --language en --top-k 50 --max-tokens 200`,
    )
    .action(async (folder: string, prompt: string | undefined, options: GenerateCommandOptions) => {
      useDeviceOption(options);
      const text = await textOrInput(prompt, 'PROMPT');
      await untilInterrupted((signal) => continueText(folder, text, {...options, signal}));
    });
}

async function continueText(
  folder: string,
  text: string,
  options: GenerateCommandOptions & {readonly signal: AbortSignal},
): Promise<void> {
  const {language: code, maxTokens, temperature, topK, topP, seed, json, signal} = options;
  using model = await loadModel(folder, loadOptionsOf(options));
  const {decoder, tokenizer} = model;
  const language = chosenLanguage(tokenizer, '--language', code);
  const prompt = await textPrompt(tokenizer, language, text);
  // What is said is told from what stands before it: alone it may lack the space that it starts with.
  const start = (await tokenizer.decode(prompt)).length;
  const said = async (tokens: readonly number[]): Promise<string> =>
    (await tokenizer.decode([...prompt, ...tokens])).slice(start);
  const tokens: number[] = [];
  let shown = '';
  if (!json) write(text);
  const generated = generate(decoder, [prompt], {
    maxNewTokens: maxTokens,
    temperature,
    topP,
    seed,
    signal,
    ...(topK !== undefined && {topK}),
    stopTokens: [tokenizer.eos],
  });
  for await (const {token} of generated) {
    tokens.push(token);
    const known = wholeCharacters(await said(tokens));
    if (!json) write(known.slice(shown.length));
    shown = known;
  }
  const output = await said(tokens);
  if (json) printJson({prompt: text, language, output, tokens: tokens.length});
  else write(`${output.slice(shown.length)}\n`);
}

function write(text: string): void {
  process.stdout.write(visibleOn(process.stdout, text));
}

/** A character may take several tokens: until all are there, its bytes are no UTF-8 and decode to U+FFFD. */
function wholeCharacters(text: string): string {
  return text.replace(/\uFFFD+$/, '');
}
