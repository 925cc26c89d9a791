/** Models to start with. */
import type {ConfigInput} from './schema.js';

/** A model to start with, and how it is trained. */
export type StarterSize = 'tiny' | 'small' | 'base';

interface SizeSettings extends Pick<ConfigInput, 'dtype'> {
  readonly tokenizer: NonNullable<ConfigInput['tokenizer']>;
  readonly model: NonNullable<ConfigInput['model']>;
  readonly training: NonNullable<ConfigInput['training']>;
}

/** What each size writes, beside the text. `tiny` is the model of the demonstration. */
export const sizeSettings: Readonly<Record<StarterSize, SizeSettings>> = {
  tiny: {
    tokenizer: {vocabSize: 4096},
    model: {layers: 4, features: 128, heads: 4, context: 192},
    training: {steps: 500, tokensPerBatch: 2048, learningRate: 3e-3},
  },
  small: {
    tokenizer: {vocabSize: 8192},
    model: {layers: 6, features: 384, heads: 6, context: 512},
    training: {steps: 5000, tokensPerBatch: 8192, learningRate: 1e-3},
  },
  base: {
    dtype: 'bfloat16',
    tokenizer: {vocabSize: 32_768},
    model: {layers: 12, features: 768, heads: 12, context: 1024},
    training: {steps: 20_000, tokensPerBatch: 16_384, accumulation: 4, learningRate: 6e-4},
  },
};

/** The sizes in a few words each. */
export const starterSizes: Readonly<Record<StarterSize, string>> = {
  tiny: 'a first try: about 1 million parameters, minutes on a CPU',
  small: 'about 14 million parameters',
  base: 'about 110 million parameters, for a GPU',
};
