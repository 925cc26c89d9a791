/** What a decoder is made from. */
import type {Config} from '../config/index.js';
import type {Device, FloatDType} from '../tensor/index.js';

/** Section `model` of a configuration, and the size of the vocabulary. */
export type DecoderShape = Config['model'] & {readonly vocabSize: number};

/** How the parameters of a new decoder are made. */
export interface DecoderOptions {
  /** Seed of the initial values, which do not depend on the device. */
  readonly seed: number;
  /** Of the parameters and activations; default float32. */
  readonly dtype?: FloatDType;
  /** Default cpu. */
  readonly device?: Device;
}
