/** Writes a decoder for llama.cpp and what is built on it. */
import {basename} from 'node:path';
import {CrossmapError} from '../../errors.js';
import type {Decoder, DecoderShape} from '../../nn/index.js';
import type {FloatDType} from '../../tensor/index.js';
import {converted} from '../convert.js';
import {writeGguf, type GgufInput} from './gguf.js';
import {llamaMetadata} from './llama-metadata.js';
import {frequencyDivisors, interleavedHalves, llamaTensors, type LlamaTensor} from './llama-tensors.js';
import {tokenizerMetadata, type GgufTokenizer} from './tokenizer-metadata.js';

/** Reads a parameter by its name, in a dtype: its elements in little-endian, row-major order, in pieces of whole elements. */
export type ReadWeight = (name: string, dtype: FloatDType) => AsyncIterable<Uint8Array>;

/** What a file is made from. */
export interface GgufModel {
  /** Section `model` of its configuration, and the size of its vocabulary. */
  readonly shape: DecoderShape;
  /** Its `tokenizer.json`, and the ids that start and end a segment. */
  readonly tokenizer: GgufTokenizer;
  /** Asked for each parameter once, one after the other. */
  readonly readWeight: ReadWeight;
}

/** How a model is written. */
export interface GgufOptions {
  /** Dtype of the matrices; norms are float32. */
  readonly dtype: FloatDType;
  /** What `general.name` says; default the name of the file without `.gguf`. */
  readonly name?: string;
}

/**
 * Writes a GGUF file of architecture `llama`, with its tokenizer, whole or not at all.
 *
 * @throws ERR_FORMAT where llama.cpp could not compute the same: for sliding windows, and tokenizers that it has no rule for; ERR_DATA for a
 *   tokenizer that cannot be read; ERR_IO; what `readWeight` throws
 */
export async function exportGguf(path: string, model: GgufModel, options: GgufOptions): Promise<void> {
  const {dtype, name = basename(path, '.gguf')} = options;
  const {shape, tokenizer} = model;
  const metadata = new Map([
    ...llamaMetadata(shape, {name, dtype}),
    ...(await tokenizerMetadata(tokenizer, shape.vocabSize)),
  ]);
  const weights = llamaTensors(shape).map((weight) => inputOf(weight, {model, dtype}));
  const divisors = frequencyDivisors(shape);
  await writeGguf(path, {
    metadata,
    tensors: divisors === undefined ? weights : [divisorsInput(divisors), ...weights],
  });
}

/**
 * Reads the parameters of a decoder for `exportGguf`, one after the other in memory.
 *
 * @returns a function that throws ERR_ARGUMENT for a parameter that is not there; ERR_FORMAT for values that float16 cannot hold;
 *   ERR_OUT_OF_MEMORY, ERR_DISPOSED
 */
export function decoderWeights({parameters}: Pick<Decoder, 'parameters'>): ReadWeight {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter.tensor]));
  return async function* readWeight(name, dtype) {
    const parameter = byName.get(name);
    if (parameter === undefined)
      throw new CrossmapError('ERR_ARGUMENT', `decoderWeights: the decoder has no parameter ${name}`);
    const {buffer, byteOffset, byteLength} = await parameter.data();
    yield await converted(new Uint8Array(buffer, byteOffset, byteLength), parameter.dtype, dtype, name);
  };
}

interface InputOptions {
  readonly model: GgufModel;
  readonly dtype: FloatDType;
}

function inputOf({name, parameter, shape, rotates}: LlamaTensor, {model, dtype}: InputOptions): GgufInput {
  const type = shape.length === 1 ? 'float32' : dtype;
  const pieces = (): AsyncIterable<Uint8Array> => model.readWeight(parameter, type);
  const [rows = 0] = shape;
  const {headDim} = model.shape;
  const data = rotates ? () => whole(pieces(), (bytes) => interleavedHalves(bytes, {rows, headDim})) : pieces;
  return {name, type, shape, data};
}

function divisorsInput(divisors: Float32Array<ArrayBuffer>): GgufInput {
  const data = async function* divisorBytes(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(divisors.buffer);
  };
  return {name: 'rope_freqs.weight', type: 'float32', shape: [divisors.length], data};
}

/** A tensor in one piece, rearranged. */
async function* whole(
  pieces: AsyncIterable<Uint8Array>,
  rearrange: (bytes: Uint8Array) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece.slice()); // the next piece may come in the same memory
  yield rearrange(Buffer.concat(all));
}
