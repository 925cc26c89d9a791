// npm run gpu-check: all that only a GPU can show, within minutes, in one file.
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {addonFile, flavours} from '../setup/addon.mjs';
import {isOnPath} from '../setup/commands.mjs';
import {readJson, writeJson} from '../setup/files.mjs';
import {inRoot} from '../setup/places.mjs';
import {SetUpError, say, since, warn} from '../setup/say.mjs';
import {fileNameOf, findGpus} from './gpus.mjs';
import {markdownOf} from './report.mjs';
import {benchStep, runStep, stepsOf} from './steps.mjs';

/** So that it fits where machines are lent for minutes. */
const defaultMinutes = {cuda: '9', simt: '20'};
/** Of all the time, what is kept for benches. */
const benchShare = 0.3;

/**
 * Flags: `--device simt` is the dry run on the emulator; `--out FILE` is where the JSON goes (the Markdown beside it); `--minutes N` is all
 * the time; `--peer-device cpu` runs the peers, on the dry run too.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit status: 1 where a step failed
 */
export async function runGpuCheck(args) {
  const {values: flags} = parseArgs({
    args: [...args],
    options: {
      device: {type: 'string', default: 'cuda'},
      out: {type: 'string'},
      minutes: {type: 'string'},
      'peer-device': {type: 'string'},
    },
  });
  const device = deviceOf(flags.device);
  const gpus = device === 'cuda' ? findGpus() : [];
  if (device === 'cuda' && gpus.length === 0) {
    throw new SetUpError(
      'gpu-check: there is no GPU here (nvidia-smi finds none); npm run gpu-check -- --device simt is the dry run',
    );
  }
  const start = performance.now();
  const minutes = Number(flags.minutes ?? defaultMinutes[device]);
  if (!(minutes > 0))
    throw new SetUpError(`gpu-check: --minutes must be a number above 0; got ${flags.minutes}`);
  const left = () => minutes * 60 - (performance.now() - start) / 1000;
  const setting = settingOf(device);
  const steps = await runSteps(setting, () => left() - benchShare * minutes * 60);
  const bench = await runStep(benchStep(setting, flags['peer-device'], left()), setting, left());
  const benches = /** @type {import('./steps.mjs').Benches | undefined} */ (bench.details);
  const date = new Date().toISOString();
  /** @type {import('./report.mjs').Report} */
  const report = {
    version: readJson(inRoot('package.json')).version,
    date,
    node: process.versions.node,
    device,
    gpu: gpus[0],
    gpuCount: gpus.length,
    steps: [...steps, {...bench, details: undefined}],
    peers: benches?.peers ?? [],
    benches: benches?.comparisons ?? [],
  };
  const file = path.resolve(flags.out ?? defaultFile(report));
  writeJson(file, report);
  const markdown = markdownOf(report);
  fs.writeFileSync(file.replace(/(\.json)?$/, '.md'), markdown);
  process.stdout.write(markdown);
  const failed = report.steps.filter(({status}) => status === 'failed').map(({name}) => name);
  if (failed.length) warn(`gpu-check: failed: ${failed.join(', ')}`);
  say(`gpu-check: ${path.relative(process.cwd(), file)}; ${since(start)}`);
  return failed.length ? 1 : 0;
}

/**
 * @param {string} name
 * @returns {'cuda' | 'simt'}
 */
function deviceOf(name) {
  if (name === 'cuda' || name === 'simt') return name;
  throw new SetUpError(`gpu-check: --device must be cuda or simt; got ${name}`);
}

/**
 * @param {'cuda' | 'simt'} device
 * @returns {import('./steps.mjs').Setting}
 */
function settingOf(device) {
  return {
    device,
    env: {
      ...process.env,
      CROSSMAP_ADDON: addonFile(flavours[device]),
      CROSSMAP_DEVICE: device,
      CROSSMAP_TEST_DEVICES: device,
      NO_COLOR: '1',
    },
    hasSanitizer: isOnPath('compute-sanitizer'),
  };
}

/**
 * One after another: a failure keeps none from running.
 *
 * @param {import('./steps.mjs').Setting} setting
 * @param {() => number} leftSeconds
 */
async function runSteps(setting, leftSeconds) {
  const results = [];
  for (const step of stepsOf(setting)) {
    if (step.skip === undefined) say(`gpu-check: ${step.name}`);
    const result = await runStep(step, setting, leftSeconds());
    if (result.status === 'failed') warn(`gpu-check: ${result.name}: ${result.summary}`);
    results.push(result);
  }
  return results;
}

/** @param {import('./report.mjs').Report} report */
function defaultFile({gpu, date}) {
  const name = `${gpu ? fileNameOf(gpu.name) : 'simt'}-${date.slice(0, 10)}.json`;
  return gpu ? inRoot('bench', 'results', name) : inRoot('.setup', 'gpu-check', name);
}
