/** Events of a small run. */
import type {EvaluationEvent, StartEvent, StepEvent, TrainEvent} from '../../lib/train/events.js';

export const start: StartEvent = {
  type: 'start',
  name: 'tiny',
  steps: 400,
  resumedFrom: 0,
  parameters: 9_812_000,
  device: 'cpu',
  dtype: 'float32',
  languages: ['cs', 'en'],
  output: 'runs/tiny',
};

export function step(
  number: number,
  losses: StepEvent['losses'] = {next: 9 / number, mapping: 8 / number},
): StepEvent {
  return {
    type: 'step',
    step: number,
    loss: 17 / number,
    losses,
    learningRate: 1e-3,
    gradientNorm: 1,
    tokens: 4096,
    tokensPerSecond: 12_345,
    pairs: 20,
    seconds: number,
    etaSeconds: 400 - number,
  };
}

export function evaluation(at: number, bitsPerByte: number, lac: number): EvaluationEvent {
  const layers = {
    lacByLayer: [0, lac],
    intervalByLayer: [],
    closenessByLayer: [],
    retrievalByLayer: [],
    marginErrorByLayer: [],
    mexaByLayer: [],
    meanCosineByLayer: [],
    ckaByLayer: [],
  };
  return {
    type: 'evaluation',
    step: at,
    perplexity: ['cs', 'en'].map((language, index) => ({
      language,
      natsPerToken: 5,
      perplexity: 148.413 + index,
      bitsPerByte: bitsPerByte + index,
      tokens: 100,
      bytes: 400,
    })),
    alignment: [
      {
        ...layers,
        source: 'en',
        target: 'cs',
        pairs: 200,
        lac,
        interval: [lac - 0.05, lac + 0.05],
        peak: lac,
        precisionAt1: [
          [1, 1],
          [lac, lac / 2],
        ],
        flags: [],
      },
    ],
    samples: [
      {source: 'en', target: 'cs', input: 'A house.', reference: 'Dům.', output: 'Dů\u001b[31mm\n\n'},
      {source: 'en', target: 'cs', input: 'A tree.', reference: 'Strom.', output: ''},
      {source: 'cs', target: 'en', input: 'Strom.', reference: 'A tree.', output: 'x'.repeat(100)},
    ],
    seconds: 12,
  };
}

export const others: readonly TrainEvent[] = [
  {type: 'checkpoint', step: 4, path: 'runs/tiny/checkpoints/step-4', seconds: 1.2},
  {type: 'warning', step: 5, message: 'cs is repeated 4 times'},
  {type: 'end', reason: 'finished', step: 400, seconds: 125, peakBytes: 3 * 2 ** 29},
];
