/**
 * The Llama-family decoder as modules over ops, and generation with it.
 *
 * @module crossmap/nn
 */
export {beamSearch, type BeamOptions, type BeamResult} from './beam-search.js';
export type {Attend} from './block.js';
export {createDecoder, type Decoder} from './decoder.js';
export type {DecoderOutput, ForwardOptions} from './forward.js';
export {decoderInput, type DecoderInput, type PackedTokens} from './input.js';
export type {Parameter} from './parameters.js';
export {generate, generateAll, type GeneratedToken} from './generate.js';
export type {GenerateOptions} from './generation-plan.js';
export type {DecoderOptions, DecoderShape} from './shape.js';
export {weightShapes} from './weight-shapes.js';
