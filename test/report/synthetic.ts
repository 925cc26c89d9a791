/** A made-up training run with the shapes of a real one, from a seed. */
import {createRandom, type Random} from '../../lib/eval/random.js';
import type {PairAlignment, SampleTranslation} from '../../lib/eval/results.js';
import type {EvaluationEvent, StepEvent, TrainEvent} from '../../lib/train/events.js';

export interface SyntheticRun {
  readonly steps: number;
  /** Steps between evaluations; 0 for none. */
  readonly evaluateEvery: number;
  readonly languages?: readonly string[];
  readonly layers?: number;
  readonly pairs?: number;
  readonly seed?: number;
}

export const scripts = ['en', 'cs', 'uk', 'zh', 'ar', 'hi', 'de', 'vi'];

export function syntheticRun(run: SyntheticRun): TrainEvent[] {
  const {steps, evaluateEvery, languages = scripts, seed = 1} = run;
  const random = createRandom(seed);
  const events: TrainEvent[] = [
    {
      type: 'start',
      name: 'demo-8-languages',
      steps,
      resumedFrom: 0,
      parameters: 3_214_080,
      device: 'cpu',
      dtype: 'float32',
      languages,
      fertility: languages.map((language, i) => ({
        language,
        fertility: 1.25 + i / 10,
        ...(i > 0 && {tokensPerCharacter: 0.25 + i / 100}),
        bytesPerToken: 4.5 - i / 4,
      })),
      output: 'runs/demo',
    },
  ];
  for (let step = 0; step <= steps; step++) {
    if (step > 0) events.push(stepEvent(step, steps, random));
    if (evaluateEvery > 0 && step % evaluateEvery === 0) events.push(evaluation(step, run, random));
  }
  return [
    ...events,
    {type: 'warning', step: 1, message: '12 pairs are longer than the context and were dropped'},
    {type: 'checkpoint', step: steps, path: 'runs/demo/checkpoint', seconds: 0.4},
    {type: 'end', reason: 'finished', step: steps, seconds: steps * 0.37, peakBytes: 742 * 2 ** 20},
  ];
}

function noise(random: Random): number {
  return random.uniform() + random.uniform() + random.uniform() - 1.5;
}

function stepEvent(step: number, steps: number, random: Random): StepEvent {
  const done = step / steps;
  const warm = Math.min(1, step / Math.max(1, 0.1 * steps));
  const next = 3.6 + 5.4 * Math.exp(-9 * done) + 0.2 * noise(random);
  const mapping = 4.1 + 4.9 * Math.exp(-6 * done) + 0.35 * noise(random);
  const contrastive = 1.2 + 2.2 * Math.exp(-4 * done) + 0.4 * noise(random);
  return {
    type: 'step',
    step,
    loss: next + mapping + 0.1 * contrastive,
    losses: {next, mapping, contrastive},
    learningRate: 2e-3 * warm * (0.55 + 0.45 * Math.cos(Math.PI * done)),
    gradientNorm: Math.exp(0.8 * noise(random)) * (0.6 + 8 * Math.exp(-20 * done)),
    ...(step % 50 === 1 && {
      gradientNorms: {
        next: 0.4 + 2 * Math.exp(-9 * done),
        mapping: 0.3 + 1.5 * Math.exp(-6 * done),
        contrastive: 1.4 * warm * Math.exp(-3 * done),
      },
    }),
    tokens: 4096,
    tokensPerSecond: 11_000 + 900 * noise(random),
    pairs: 32,
    seconds: step * 0.37,
    etaSeconds: (steps - step) * 0.37,
  };
}

function evaluation(step: number, run: SyntheticRun, random: Random): EvaluationEvent {
  const {steps, languages = scripts, layers = 6, pairs = 7} = run;
  const done = step / steps;
  return {
    type: 'evaluation',
    step,
    perplexity: languages.map((language, i) => {
      const bitsPerByte = 1.4 + 0.17 * i + 5.8 * Math.exp(-(4 + i) * done) + 0.02 * noise(random);
      const natsPerToken = bitsPerByte * Math.LN2 * 2.6;
      return {
        language,
        natsPerToken,
        perplexity: Math.exp(natsPerToken),
        bitsPerByte,
        tokens: 10_240,
        bytes: 26_624,
      };
    }),
    alignment: languages
      .slice(1, 1 + pairs)
      .map((target, i) => pairAlignment(target, layers, done, 0.5 - 0.06 * i, random)),
    samples: samples.map((sample) => ({...sample, output: attempt(sample.reference, 0.6 * done)})),
    seconds: 2.1,
  };
}

function pairAlignment(
  target: string,
  layers: number,
  done: number,
  best: number,
  random: Random,
): PairAlignment {
  const states = Array.from({length: layers + 1}, (_, layer) => layer);
  const lacByLayer = states.map((layer) => {
    const middle = Math.exp(-((layer / layers - 0.55) ** 2) / 0.12);
    return (0.05 + best * (1 - Math.exp(-3 * done))) * middle - 0.03 + 0.02 * noise(random);
  });
  const lac = lacByLayer.slice(1).reduce((sum, value) => sum + value, 0) / layers;
  return {
    source: 'en',
    target,
    pairs: 200,
    lacByLayer,
    intervalByLayer: lacByLayer.map((value) => [value - 0.05, value + 0.05]),
    closenessByLayer: lacByLayer.map((value) => 0.8 * value),
    retrievalByLayer: lacByLayer.map((value) => 1.2 * value),
    lac,
    interval: [lac - 0.04, lac + 0.04],
    peak: Math.max(...lacByLayer) - 0.01,
    precisionAt1: lacByLayer.map((value) => [Math.max(0.005, 0.5 * value), Math.max(0.005, 0.45 * value)]),
    marginErrorByLayer: lacByLayer.map((value) => [
      1 - Math.max(0, 0.6 * value),
      1 - Math.max(0, 0.55 * value),
    ]),
    mexaByLayer: lacByLayer.map((value) => Math.max(0, 0.4 * value)),
    meanCosineByLayer: lacByLayer.map((value) => 0.5 + 0.4 * value),
    ckaByLayer: lacByLayer.map((value) => 0.7 * value),
    flags: [],
  };
}

const samples: readonly SampleTranslation[] = [
  ['en', 'cs', 'All human beings are born free and equal.', 'Všichni lidé rodí se svobodní a rovní.'],
  ['cs', 'uk', 'Soubor nelze otevřít.', 'Файл неможливо відкрити.'],
  ['en', 'zh', 'Choose the file that you want to open.', '选择要打开的文件。'],
  [
    'en',
    'ar',
    'Everyone has the right to life, liberty and security (article 3).',
    'لكل فرد الحق في الحياة والحرية وسلامة شخصه (المادة 3).',
  ],
  ['hi', 'en', 'दस्तावेज़ को सहेजने के लिए क्लिक करें।', 'Click to save the document.'],
  ['en', 'vi', 'Press Enter to continue.', 'Nhấn Enter để tiếp tục.'],
].map(([source = '', target = '', input = '', reference = '']) => ({
  source,
  target,
  input,
  reference,
  output: '',
}));

/** The reference, less and less garbled. */
function attempt(reference: string, done: number): string {
  const words = Array.from(reference);
  return words
    .slice(0, Math.round(words.length * Math.min(1, 0.15 + done)))
    .map((letter, i) =>
      (i * 7919) % 100 < 45 * (1 - done) ? (words[(i * 31) % words.length] ?? '') : letter,
    )
    .join('');
}

export const exampleConfig = {
  name: 'demo-8-languages',
  seed: 1,
  model: {
    layers: 6,
    features: 192,
    heads: 6,
    kvHeads: 2,
    hidden: 512,
    context: 256,
    tied: true,
    rope: {theta: 10000},
  },
  data: {languages: scripts, alpha: 0, mappingShare: 0.25, vocabulary: 8192, maxEpochs: 4},
  objectives: {
    next: {weight: 1},
    mapping: {weight: 1, prefix: false},
    contrastive: {weight: 0.1, temperature: 0.05, layer: null, scope: 'cross'},
  },
  optimizer: {kind: 'adamw', learningRate: 0.002, betas: [0.9, 0.95], weightDecay: 0.1, clip: 1},
  schedule: {kind: 'cosine', warmup: 0.1, floor: 0.1},
  train: {
    steps: 400,
    tokensPerStep: 4096,
    evaluateEvery: 50,
    device: 'cpu',
    dtype: 'float32',
    output: 'runs/demo',
  },
};
