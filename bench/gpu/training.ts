/**
 * A short training run of all objectives on a device, over two made-up languages. `--device D --steps N --size full|small --graphs auto|off`;
 * the last line is JSON: losses of the first and the last step, tokens per second over the latter half, and the most memory held.
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {parseConfig} from '../../lib/config/index.js';
import {memory, requireDevice, type Device} from '../../lib/tensor/index.js';
import {train} from '../../lib/train/index.js';

const {values: flags} = parseArgs({
  options: {
    device: {type: 'string', default: 'cuda'},
    steps: {type: 'string', default: '60'},
    size: {type: 'string', default: 'full'},
    graphs: {type: 'string', default: 'auto'},
  },
});
const device = flags.device as Device;
requireDevice(device);

const sizes = {
  full: 'model: {layers: 8, features: 512, heads: 8, context: 256}\ntokenizer: {vocabSize: 512}',
  small:
    'model: {layers: 1, features: 32, heads: 2, hiddenFeatures: 64, context: 48}\ntokenizer: {vocabSize: 300}',
} as const;
const isFull = flags.size === 'full';
const tokensPerBatch = isFull ? 8192 : 192;

const yaml = `
data:
  monolingual: [{language: en, files: en.txt}, {language: cs, files: cs.txt}]
  parallel: [{source: en, target: cs, file: en-cs.tsv}]
  heldOut: {documentShare: 0.1, pairs: 8}
  maxEpochs: 100000
${sizes[isFull ? 'full' : 'small']}
device: ${device}
dtype: bfloat16
training: {steps: ${flags.steps}, tokensPerBatch: ${tokensPerBatch}, warmupSteps: 2, checkpointEvery: 100000, graphs: ${flags.graphs}}
evaluation: {every: 100000, textTokens: 256, pairs: 8, bootstrap: 10, samples: 0}
`;

/** Sentences of words that correspond one by one; neighbours are not independent, so that there is something to learn. */
function writeCorpus(folder: string): void {
  const syllables = ['ka', 'lo', 'mi', 'ru', 'ten', 'vo', 'zi', 'pa'];
  const word = (id: number, side: number): string =>
    `${syllables[(id + side * 3) % 8]}${syllables[(id >> 3) % 8]}${side === 0 ? 'n' : 'á'}`;
  const sentence = (s: number, side: number): string =>
    `${Array.from({length: 4 + (s % 5)}, (_, at) => word((s * 7 + at * at * 5) % 64, side)).join(' ')}.`;
  const all = Array.from({length: 400}, (_, s) => [sentence(s, 0), sentence(s, 1)] as const);
  writeFileSync(join(folder, 'en.txt'), all.map(([en]) => `${en}\n`).join(''));
  writeFileSync(join(folder, 'cs.txt'), all.map(([, cs]) => `${cs}\n`).join(''));
  writeFileSync(join(folder, 'en-cs.tsv'), all.map((pair) => `${pair.join('\t')}\n`).join(''));
}

const folder = mkdtempSync(join(tmpdir(), 'crossmap-gpu-'));
try {
  writeCorpus(folder);
  const config = parseConfig(yaml, {
    file: join(folder, 'gpu.yaml'),
    set: [`data.root=${folder}`, `output=${join(folder, 'run')}`],
  });
  const steps: {readonly loss: number; readonly tokensPerSecond: number}[] = [];
  for await (const event of train(config)) if (event.type === 'step') steps.push(event);
  const latter = steps.slice(Math.floor(steps.length / 2)).map(({tokensPerSecond}) => tokensPerSecond);
  // Steps are equally long in tokens: their mean rate is the harmonic mean.
  const tokensPerSecond = latter.length / latter.reduce((sum, rate) => sum + 1 / rate, 0);
  console.log(
    JSON.stringify({
      steps: steps.length,
      firstLoss: steps[0]?.loss,
      lastLoss: steps.at(-1)?.loss,
      tokensPerSecond,
      peakBytes: memory(device).peakBytes,
    }),
  );
} finally {
  rmSync(folder, {recursive: true});
}
