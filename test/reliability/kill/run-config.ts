/** The run that is killed: some seconds long, with many checkpoints and some evaluations. */
import type {Config} from '../../../lib/config/index.js';
import {tinyConfig} from '../../train/tiny-run.js';

export const lastStep = 120;

export function runConfig(folder: string): Config {
  return tinyConfig(folder, [
    `training={steps: ${lastStep}, tokensPerBatch: 320, accumulation: 2, learningRate: 5.0e-3, warmupSteps: 2, checkpointEvery: 7}`,
    'evaluation={every: 40, atStart: true, textTokens: 256, pairs: 12, bootstrap: 20, samples: 1, maxNewTokens: 6}',
  ]);
}
