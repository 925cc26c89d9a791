/** The Llama-family decoder as modules over ops, and generation with it. */
export {createDecoder, type Decoder, type DecoderOptions, type DecoderShape} from './decoder.js';
export type {DecoderOutput, ForwardOptions} from './forward.js';
export {decoderInput, type DecoderInput, type PackedTokens} from './input.js';
export type {Parameter} from './parameters.js';
export {generate, generateAll, type GeneratedToken, type GenerateOptions} from './generate.js';
