/**
 * From text to packed batches: corpora, held-out sets, tokenizer, shards, sampling.
 *
 * @module crossmap/data
 */
export type {Batch, PairSpans, SegmentKind} from './batch.js';
export type {HeldOut, HeldOutBatch, HeldOutOptions, HeldOutPairs} from './held-out/held-out.js';
export {openBatches, prepareData, type PrepareOptions, type PreparedData} from './prepare.js';
export type {DataProgress} from './prepared/progress.js';
export {openTrainedText, type TrainedText, type TrainedTextOptions} from './prepared/trained-text.js';
export {
  sentenceBatches,
  textPrompt,
  translationPrompt,
  type SentenceBatch,
  type SentenceOptions,
} from './prompts.js';
export type {
  DataReport,
  DroppedExample,
  DroppedPairs,
  DroppedText,
  LanguageReport,
  PairReport,
  TextSize,
} from './report.js';
export type {TrainingShards} from './sampling/mixture.js';
export type {PairShard, TextShard} from './sampling/source.js';
export type {BatchPosition, BatchStream, SourceEpochs} from './sampling/stream.js';
export type {Shard} from './shards/shard.js';
export {cleanText} from './corpus/clean.js';
export type {ReadOptions} from './corpus/bytes.js';
export type {PairFormat} from './corpus/format.js';
export {readSides, type PairFiles, type Sides} from './corpus/pairs.js';
export {
  adaptTokenizer,
  plainTokenizer,
  type AdaptedTokenizer,
  type AdaptOptions,
  type PlainTokenizer,
} from './tokenizer/adapt.js';
export {readTokenizerJson} from './tokenizer/file-content.js';
export {loadTokenizer} from './tokenizer/load.js';
export {trainTokenizer, type TrainTokenizerOptions} from './tokenizer/train.js';
export type {Tokenizer} from './tokenizer/tokenizer.js';
