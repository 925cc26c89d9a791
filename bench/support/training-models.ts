/** The models whose training step is timed. */
import {sized} from './quick.js';

/** For quick runs. */
export const tiny = {
  tokens: 64,
  segment: 32,
  layers: 1,
  features: 64,
  heads: 2,
  hiddenFeatures: 128,
  vocab: 256,
};

const small = {
  tokens: 2048,
  segment: 512,
  layers: 6,
  features: 384,
  heads: 6,
  hiddenFeatures: 1024,
  vocab: 8192,
};

const large = {
  tokens: 1024,
  segment: 512,
  layers: 12,
  features: 768,
  heads: 12,
  hiddenFeatures: 2048,
  vocab: 32_000,
};

export const trainingModels = sized([small, large], [tiny]);
