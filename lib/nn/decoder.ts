/** The Llama-family decoder: parameters and what is computed with them. */
import type {Config} from '../config/index.js';
import type {Device, FloatDType, Tensor} from '../tensor/index.js';
import type {DecoderOutput, ForwardOptions} from './forward.js';
import type {DecoderInput} from './input.js';
import type {Parameter} from './parameters.js';

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

/** A decoder. It owns its parameters until it is disposed of. */
export interface Decoder {
  readonly shape: DecoderShape;
  readonly dtype: FloatDType;
  readonly device: Device;
  /** In a fixed order: embedding, blocks, final norm, head. A tied head is not listed: it is the embedding. */
  readonly parameters: readonly Parameter[];
  /** Numbers in all parameters. */
  readonly parameterCount: number;
  /** [vocab, features] weight of the output head, for `linearCrossEntropy`; with `tiedHead` the embedding table itself. */
  readonly head: Tensor;
  /**
   * All blocks and the final norm over packed segments.
   *
   * @throws ERR_ARGUMENT for a hidden state that is not there; what the ops throw
   */
  forward(input: DecoderInput, options?: ForwardOptions): DecoderOutput;
  /**
   * Hidden states alone, numbered as in `ForwardOptions`: blocks above the last one wanted do not run.
   *
   * @returns each [tokens, features], in the order of `layers`
   * @throws as `forward`
   */
  hiddenStates(input: DecoderInput, layers: readonly number[]): readonly Tensor[];
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * A decoder with seeded parameters: normal with standard deviation 0.02, those that write to the residual stream divided by
 * sqrt(2 layers), as in GPT-2; norms are 1.
 *
 * @throws ERR_ARGUMENT, ERR_DEVICE, ERR_OUT_OF_MEMORY
 */
export declare function createDecoder(shape: DecoderShape, options: DecoderOptions): Decoder;
