/** `crossmap eval`: measures a checkpoint on the held-out text of its run. */
import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import type {Command} from 'commander';
import {describeOptions, loadSuite, parseConfig, suiteJsonSchema, type Config} from '../../config/index.js';
import {openTrainedText, prepareData} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import {evaluateModel, runSuite, suiteResults, type TaskResult, type TrainedOn} from '../../eval/index.js';
import {publishFile} from '../../formats/index.js';
import {loadModel, type EvaluationEvent, type LoadedModel} from '../../train/index.js';
import {addSetOption, type SetOptions} from '../config-file.js';
import {createDataProgress} from '../data-progress.js';
import {addDeviceOption, loadOptionsOf, useDeviceOption, type DeviceOptions} from '../device-option.js';
import {describeEvent} from '../describe-event.js';
import {describeTask} from '../describe-task.js';
import {untilInterrupted} from '../interrupt.js';
import {optionLine} from '../option-line.js';
import {createPaint, hasColor} from '../paint.js';
import {printJson, printLines} from '../print.js';
import {addThreadsOption, type ThreadsOptions} from '../threads-option.js';

interface EvalCommandOptions extends SetOptions, DeviceOptions, ThreadsOptions {
  readonly suite?: string;
  readonly output?: string;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command.argument('<run>', 'output folder of a run, or one of its checkpoints');
  addThreadsOption(addDeviceOption(addSetOption(command)))
    .option('--suite <file>', 'measure the tasks of a YAML file instead')
    .option('--output <file>', 'with --suite: write the results there as JSON too')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      () => `
Perplexity is per language; bits per byte can be compared across tokenizers. LAC (crossmap definition) is 0 where a
sentence and its translation have no more in common than chance, 1 where they are the same to the model.

Examples:
  crossmap eval runs/train
  crossmap eval runs/train/checkpoints/step-000500 --set evaluation.pairs=400 --json
  crossmap eval runs/train --suite suite.yaml --output results.json

A suite, suite.yaml:
  tasks:
    - {type: perplexity, language: cs, files: test.cs.txt}
    - {type: translation, source: en, target: cs, file: test.tsv, limit: 500}
    - {type: translationChoice, source: en, target: cs, file: test.tsv}
    - {type: alignment, source: en, target: cs, file: test.tsv}
    - {type: choice, language: cs, file: choices.jsonl}
    - {type: questions, language: cs, file: questions.jsonl}

Options of a suite, [] standing for an item of a list:
${describeOptions(suiteJsonSchema()).map(optionLine).join('\n')}`,
    )
    .action(async (folder: string, {suite, output, json, set = [], ...options}: EvalCommandOptions) => {
      useDeviceOption(options);
      if (suite !== undefined) {
        if (set.length > 0)
          throw new CrossmapError(
            'ERR_ARGUMENT',
            '--set has no meaning with --suite: its file has the options',
          );
        await untilInterrupted((signal) => measureSuite(folder, suite, {...options, output, json, signal}));
        return;
      }
      if (output !== undefined)
        throw new CrossmapError('ERR_ARGUMENT', '--output has no meaning without --suite');
      const event = await untilInterrupted((signal) => evaluate(folder, {...options, set, signal}));
      if (json) printJson(event);
      else printLines(describeEvent(event, createPaint(hasColor(process.stdout))));
    });
}

interface EvaluateOptions extends DeviceOptions, ThreadsOptions {
  readonly set: readonly string[];
  readonly signal: AbortSignal;
}

async function evaluate(
  folder: string,
  {set, signal, ...options}: EvaluateOptions,
): Promise<EvaluationEvent> {
  using model = await loadModel(folder, loadOptionsOf(options));
  refuseNoText(model);
  const {threads = model.config.threads} = options;
  const config = {...withOverrides(model.config, set), threads};
  const view = createDataProgress(process.stderr);
  const data = await prepareData(config, {
    folder: join(runOf(model), 'data'),
    onProgress: view.show,
    signal,
  }).finally(view.stop);
  if (data.identity !== model.dataIdentity)
    throw new CrossmapError(
      'ERR_DATA',
      'the text has changed since the model was trained: what is held out now may be what it has learnt from',
    );
  const start = performance.now();
  const {decoder, step} = model;
  const results = await evaluateModel({decoder, data, config, signal});
  return {type: 'evaluation', step, ...results, seconds: (performance.now() - start) / 1000};
}

/** A model from elsewhere has no text that was held out of its training. */
function refuseNoText({path, config: {data}}: LoadedModel): void {
  if (!data.monolingual && !data.parallel)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `${path} was imported and has no text of its own to be measured on; give files of yours with --suite`,
    );
}

interface SuiteOptions extends DeviceOptions, ThreadsOptions {
  readonly output: string | undefined;
  readonly json: true | undefined;
  readonly signal: AbortSignal;
}

async function measureSuite(
  run: string,
  file: string,
  {output, json, signal, ...options}: SuiteOptions,
): Promise<void> {
  const suite = await loadSuite(file);
  const load = loadOptionsOf(options);
  using model = await loadModel(run, load);
  const {decoder, tokenizer, config, step, path} = model;
  const tasks: TaskResult[] = [];
  const trainedOn = await trainedOnOf(model, signal);
  if ('unknown' in trainedOn)
    process.stderr.write(`not checked for text of the training: ${trainedOn.unknown}\n`);
  const openModel = (folder: string): Promise<LoadedModel> => loadModel(folder, load);
  const input = {decoder, tokenizer, config, suite, trainedOn, openModel, signal};
  for await (const task of runSuite(input)) {
    tasks.push(task);
    if (!json) printLines(describeTask(task));
  }
  const results = suiteResults({
    run: config.name,
    seed: config.seed,
    step,
    model: path,
    suite: resolve(file),
    ...(suite.primary && {primary: [...suite.primary]}),
    draws: {draws: suite.draws, seed: suite.seed},
    tasks,
  });
  if (json) printJson(results);
  if (output !== undefined)
    await publishFile(resolve(output), (temporary) =>
      writeFile(temporary, `${JSON.stringify(results, null, 2)}\n`),
    );
}

/** The training text of a model, as the data folder of its run has it. */
async function trainedOnOf(model: LoadedModel, signal: AbortSignal): Promise<TrainedOn> {
  const folder = join(runOf(model), 'data');
  if (!existsSync(folder)) return {unknown: `${folder} is not there any more`};
  const {dataIdentity: identity, config} = model;
  try {
    return {text: await openTrainedText(folder, {identity, context: config.model.context, signal})};
  } catch (error) {
    if (error instanceof CrossmapError && error.code === 'ERR_DATA') return {unknown: error.message};
    throw error;
  }
}

/** Only how much is measured can be changed: everything else made the model what it is. */
function withOverrides(config: Config, set: readonly string[]): Config {
  const other = set.find((text) => !text.startsWith('evaluation.'));
  if (other !== undefined)
    throw new CrossmapError('ERR_ARGUMENT', `--set ${other}: eval can change options of evaluation alone`);
  return parseConfig(JSON.stringify(config), {set, file: 'config.json'});
}

/** The run that a checkpoint stands in, wherever it was moved; else where it was trained. */
function runOf({path, config}: LoadedModel): string {
  const checkpoints = dirname(resolve(path));
  return basename(checkpoints) === 'checkpoints' ? dirname(checkpoints) : config.output;
}
