/** The Llama-family decoder: parameters and what is computed with them. */
import {tensor, type Device, type FloatDType, type Tensor} from '../tensor/index.js';
import {forward, hiddenStates, type DecoderOutput, type ForwardOptions, type Model} from './forward.js';
import type {DecoderInput} from './input.js';
import {createWeights, owned, type Parameter} from './parameters.js';
import {rotaryFrequencies} from './rotary-frequencies.js';
import type {DecoderOptions, DecoderShape} from './shape.js';

/** A decoder. It owns its parameters until it is disposed of. */
export interface Decoder {
  /** Sizes and options, complete. */
  readonly shape: DecoderShape;
  /** Of the parameters and of the hidden states. */
  readonly dtype: FloatDType;
  /** Where the parameters lie. */
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
   * The hidden states that `options.hiddenStates` asks for, alone: blocks above the last of them do not run.
   *
   * @returns each [tokens, features], in the order asked
   * @throws as `forward`
   */
  hiddenStates(input: DecoderInput, options: ForwardOptions): readonly Tensor[];
  /** Frees the parameters. */
  dispose(): void;
  /** `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void;
}

/**
 * A decoder with seeded parameters: normal with standard deviation 0.02, those that write to the residual stream divided by
 * sqrt(2 layers), as in GPT-2; norms are 1.
 *
 * @throws ERR_ARGUMENT, ERR_DEVICE, ERR_OUT_OF_MEMORY
 */
export function createDecoder(shape: DecoderShape, options: DecoderOptions): Decoder {
  const {dtype = 'float32', device = 'cpu'} = options;
  const weights = createWeights(shape, options);
  const {frequencies, scale} = rotaryFrequencies(shape);
  const model: Model = {
    shape,
    weights,
    frequencies: owned(() => tensor(Float32Array.from(frequencies), {device})),
    rotaryScale: scale,
  };
  const dispose = (): void => {
    for (const parameter of weights.parameters) parameter.tensor.dispose();
    model.frequencies.dispose();
  };
  return {
    shape,
    dtype,
    device,
    parameters: weights.parameters,
    parameterCount: weights.parameters.reduce((sum, parameter) => sum + parameter.tensor.size, 0),
    head: weights.head,
    forward: (input, forwardOptions = {}) => forward(model, input, forwardOptions),
    hiddenStates: (input, forwardOptions) => hiddenStates(model, input, forwardOptions),
    dispose,
    [Symbol.dispose]: dispose,
  };
}
