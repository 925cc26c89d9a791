/** `crossmap eval`: measures a checkpoint on the held-out text of its run. */
import {basename, dirname, join, resolve} from 'node:path';
import {Command} from 'commander';
import {parseConfig, type Config} from '../../config/index.js';
import {prepareData} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import {evaluateModel} from '../../eval/index.js';
import {loadModel, type EvaluationEvent, type LoadedModel} from '../../train/index.js';
import {addSetOption, type SetOptions} from '../config-file.js';
import {createDataProgress} from '../data-progress.js';
import {addDeviceOption, useDeviceOption, type DeviceOptions} from '../device-option.js';
import {describeEvent} from '../describe-event.js';
import {untilInterrupted} from '../interrupt.js';
import {createPaint, hasColor} from '../paint.js';
import {printJson, printLines} from '../print.js';

interface EvalCommandOptions extends SetOptions, DeviceOptions {
  readonly json?: true;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description(
      'Measure a model on the held-out text of its run: perplexity, alignment, retrieval, translations.',
    )
    .argument('<run>', 'output folder of a run, or one of its checkpoints');
  return addDeviceOption(addSetOption(command))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Perplexity is per language; bits per byte can be compared across tokenizers. LAC (crossmap definition) is 0 where a
sentence and its translation have no more in common than chance, 1 where they are the same to the model.

Examples:
  crossmap eval runs/train
  crossmap eval runs/train/checkpoints/step-000500 --set evaluation.pairs=400 --json`,
    )
    .action(async (folder: string, {json, set = [], ...options}: EvalCommandOptions) => {
      useDeviceOption(options);
      const event = await untilInterrupted((signal) => evaluate(folder, {...options, set, signal}));
      if (json) printJson(event);
      else printLines(describeEvent(event, createPaint(hasColor(process.stdout))));
    });
}

interface EvaluateOptions extends DeviceOptions {
  readonly set: readonly string[];
  readonly signal: AbortSignal;
}

async function evaluate(
  folder: string,
  {set, signal, ...options}: EvaluateOptions,
): Promise<EvaluationEvent> {
  using model = await loadModel(folder, options);
  const config = withOverrides(model.config, set);
  const data = await prepareData(config, {
    folder: join(runOf(model), 'data'),
    onProgress: createDataProgress((line) => void process.stderr.write(`${line}\n`)),
    signal,
  });
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
