/**
 * Evaluation: perplexity, alignment of languages, retrieval; of plain arrays, and of a decoder on held-out text.
 *
 * @module crossmap/eval
 */
export * from './results.js';
export {createPerplexity, type Perplexity, type ScoredText} from './perplexity.js';
export {alignPair, measureAlignment, type MeasuredAlignment, type PairVectors} from './alignment.js';
export {
  compareAlignments,
  summarizeAlignment,
  type AlignmentDifference,
  type MeasureDifference,
} from './alignment-compare.js';
export {minimumPairs} from './alignment-check.js';
export type {LayerVectors, PrepareOptions, TokenCounts} from './alignment-prepare.js';
export {scoreAnswer, type AnswerScores} from './answers.js';
export {bleu, type BleuOptions, type BleuScore, type Smoothing} from './bleu.js';
export type {BleuTokenizer} from './bleu-tokenizers.js';
export type {Interval} from './bootstrap.js';
export {scoreChoices, type ChoiceItem, type ChoiceScores} from './choice.js';
export {chrf, type ChrfOptions} from './chrf.js';
export {scoreContinuations, type Continuation, type ScoreOptions} from './continuations.js';
export {unbiasedCka} from './cka.js';
export {distinctPairs} from './distinct-pairs.js';
export {choiceSizes, lac, type Lac} from './lac.js';
export type {Floats} from './matrix.js';
export {meanCosine, mexa} from './mexa.js';
export {cosinesOf, marginError, precisionAt1, type BothWays} from './retrieval.js';
export {readEmbeddings, type Embeddings} from './embeddings.js';
export {
  encodePairs,
  encodeSentences,
  type EncodedPairs,
  type EncodedSentences,
  type EncodeOptions,
} from './encode-sentences.js';
export {evaluateModel, type EvaluationInput, type ModelEvaluation} from './evaluate-model.js';
export {heldOutPerplexity, type HeldOutPerplexityOptions} from './held-out-perplexity.js';
export {bertScore, type BertScore, type BertScoreOptions, type Matching} from './bert-score/bert-score.js';
export {decoderEncoder, type DecoderEncoderOptions} from './bert-score/decoder-encoder.js';
export type {EncodedTokens, Encoder} from './bert-score/encoder.js';
export {loadEncoder} from './bert-score/load-encoder.js';
export type {TrainedOn} from './suite/overlap.js';
export {runSuite, type SuiteInput} from './suite/run.js';
export type {ScoringModel} from './suite/vector-scores.js';
export {
  compareSuites,
  digitsOf,
  type Comparison,
  type Difference,
  type GroupValues,
  type Profile,
  type RunGroup,
  type SuiteComparison,
} from './suite/compare.js';
export {suiteResults, suiteResultsSchema, type SuiteResults, type TaskResult} from './suite/results.js';
export {
  compareScores,
  corpusScore,
  scoreInterval,
  type DrawOptions,
  type ScoreComparison,
  type ScoreInterval,
  type TextMetric,
  type TextScore,
  type Translated,
} from './text-metric.js';
export {translationChoice, type TranslationChoiceOptions} from './translation-choice.js';
export {translate, type TranslateOptions, type TranslationRequest} from './translate.js';
