/** Decoders and tokenizers to export. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';
import {cleanText, trainTokenizer, type Tokenizer} from '../../../lib/data/index.js';
import {decoderWeights, exportGguf} from '../../../lib/formats/index.js';
import {decoderInput, type Decoder} from '../../../lib/nn/index.js';
import {linear} from '../../../lib/ops/index.js';
import {scope, type FloatDType} from '../../../lib/tensor/index.js';

export const languages = ['ar', 'cs', 'en', 'hi', 'ta', 'uk', 'zh'] as const;

/** The bundled sentences of a language, cleaned. */
export async function bundledSentences(language: string): Promise<string[]> {
  const path = fileURLToPath(new URL(`../../../../data/${language}.txt.gz`, import.meta.url));
  const text = gunzipSync(await readFile(path)).toString('utf8');
  return text.split('\n').filter(Boolean).map(cleanText);
}

/** A tokenizer trained on some bundled sentences of each language. */
export async function bundledTokenizer(folder: string, vocabSize: number): Promise<Tokenizer> {
  const texts = await Promise.all(languages.map(bundledSentences));
  return trainTokenizer(
    texts.flatMap((sentences) => sentences.slice(0, 800)),
    {vocabSize, languages, file: join(folder, 'tokenizer.json')},
  );
}

/** Writes a tokenizer that differs in some members from another one. */
export async function changedTokenizer(
  {file}: Tokenizer,
  changed: string,
  change: (content: TokenizerContent) => object,
): Promise<string> {
  const content = JSON.parse(await readFile(file, 'utf8')) as TokenizerContent;
  await writeFile(changed, JSON.stringify({...content, ...change(content)}));
  return changed;
}

/** What is changed of a `tokenizer.json`. */
export interface TokenizerContent {
  readonly added_tokens: readonly {readonly id: number; readonly content: string}[];
  readonly model: Readonly<Record<string, unknown>> & {readonly vocab: Readonly<Record<string, number>>};
}

/** Writes a decoder with its tokenizer. */
export async function exported(
  path: string,
  decoder: Decoder,
  {tokenizer, dtype}: {readonly tokenizer: Tokenizer; readonly dtype: FloatDType},
): Promise<string> {
  const {shape} = decoder;
  await exportGguf(path, {shape, tokenizer, readWeight: decoderWeights(decoder)}, {dtype});
  return path;
}

/** [tokens][vocab] logarithms of the probabilities of what follows each token, by our own decoder. */
export async function logProbabilities(decoder: Decoder, tokens: Int32Array): Promise<Float64Array[]> {
  const positions = Int32Array.from(tokens.keys());
  const segmentStarts = Int32Array.of(0, tokens.length);
  const input = decoderInput({tokens, positions, segmentStarts}, decoder.device);
  using logits = scope(() => linear(decoder.forward(input).hidden, decoder.head));
  const all = await logits.floats();
  const {vocabSize} = decoder.shape;
  return Array.from(tokens, (_, t) => logSoftmax(all.subarray(t * vocabSize, (t + 1) * vocabSize)));
}

function logSoftmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  return Float64Array.from(logits, (logit) => logit - most - Math.log(sum));
}
