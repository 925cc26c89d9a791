/** BERTScore: how well the tokens of two sentences match, as vectors that an encoder gives them in their context. */
import {CrossmapError} from '../../errors.js';
import {rowProducts, unitRows} from '../matrix.js';
import {formatFixed} from '../python-text.js';
import {scoreVersion} from '../score-version.js';
import {checkSentences, type Translated} from '../text-metric.js';
import {encodeTokens, type CheckedTokens, type EncodedTokens, type Encoder} from './encoder.js';

/** The three values of BERTScore. */
export interface Matching {
  /** Mean over the tokens of the hypothesis of the cosine with the most similar token of the reference. */
  readonly precision: number;
  /** The same over the tokens of the reference. */
  readonly recall: number;
  /** Harmonic mean of both. */
  readonly f1: number;
}

/** BERTScore of sentences, and how it came about. */
export interface BertScore extends Matching {
  /** Each value of each sentence; those of all are their means. */
  readonly sentences: readonly Matching[];
  /** Encoder, layer, idf, version, rescaling: two scores compare only where it is the same. */
  readonly hash: string;
}

/** Options of BERTScore; the defaults are those of bert_score. */
export interface BertScoreOptions {
  /** Whether rare tokens count more: by their inverse document frequency among the references. Default false. */
  readonly idf?: boolean;
  /** What unrelated sentences score: values become `(value - baseline) / (1 - baseline)`. Default: they stay as they are. */
  readonly baseline?: Matching;
  /** Sentences that the encoder is given at once, at most; default 64. */
  readonly sentencesAtOnce?: number;
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** Translations that are matched before the vectors of the next ones are asked for: vectors are large. */
const matchedAtOnce = 64;

/**
 * BERTScore as bert_score 0.3.12 computes it, each pair of sentences for itself: padding, which there lets a token match nothing at
 * cosine 0, plays no part. Of several references each value is the best one. A sentence without a token that counts scores 0.
 *
 * @throws ERR_ARGUMENT without a sentence, for one without reference, for a baseline of 1 or more, and for an encoder that fails or gives
 *   something else than finite vectors of one length; ERR_ABORTED
 * @see Zhang et al. 2020, arXiv:1904.09675, equations of section 3
 */
export async function bertScore(
  encoder: Encoder,
  sentences: readonly Translated[],
  options: BertScoreOptions = {},
): Promise<BertScore> {
  const {idf = false, baseline, sentencesAtOnce = 64, signal} = options;
  checkSentences(sentences);
  checkOptions(baseline, sentencesAtOnce);
  const matched = await matchAll(encoder, sentences, {sentencesAtOnce, signal});
  const special = new Set(encoder.specialTokens);
  const weightOf = idf
    ? idfWeights(matched.flatMap((references) => references.map(({recall}) => recall.tokens)))
    : (token: number): number => (special.has(token) ? 0 : 1);
  const scores = matched.map((references) => {
    const best = bestOf(references.map((match) => valuesOf(match, weightOf)));
    return baseline ? rescaled(best, baseline) : best;
  });
  const mean = (name: keyof Matching): number =>
    scores.reduce((sum, each) => sum + each[name], 0) / scores.length;
  return {
    precision: mean('precision'),
    recall: mean('recall'),
    f1: mean('f1'),
    sentences: scores,
    hash: hashOf(encoder, idf, baseline),
  };
}

function checkOptions(baseline: Matching | undefined, sentencesAtOnce: number): void {
  if (!Number.isSafeInteger(sentencesAtOnce) || sentencesAtOnce < 1)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `bertScore: sentencesAtOnce must be a whole number of at least 1; got ${sentencesAtOnce}`,
    );
  for (const value of baseline ? [baseline.precision, baseline.recall, baseline.f1] : [])
    if (!(value < 1))
      throw new CrossmapError('ERR_ARGUMENT', `bertScore: a baseline must be below 1; got ${value}`);
}

/** The tokens of a sentence, each with the largest cosine that it has with a token of the other sentence. */
interface MatchedSide {
  readonly tokens: ArrayLike<number>;
  readonly cosines: Float64Array;
}

/** A hypothesis with one reference. */
interface Match {
  /** Tokens of the hypothesis. */
  readonly precision: MatchedSide;
  /** Tokens of the reference. */
  readonly recall: MatchedSide;
}

/** [sentences][references] */
async function matchAll(
  encoder: Encoder,
  sentences: readonly Translated[],
  call: {readonly sentencesAtOnce: number; readonly signal: AbortSignal | undefined},
): Promise<Match[][]> {
  const matched: Match[][] = [];
  let features: number | undefined;
  for (let at = 0; at < sentences.length; at += matchedAtOnce) {
    const chosen = sentences.slice(at, at + matchedAtOnce);
    const texts = chosen.flatMap(({hypothesis, references}) => [hypothesis, ...references]);
    const encoded = await encodeTokens(encoder, texts, {...call, features});
    features = encoded.features;
    for (const {hypothesis, references} of chosen)
      matched.push(references.map((reference) => match([hypothesis, reference], encoded)));
  }
  return matched;
}

const noTokens: EncodedTokens = {tokens: [], vectors: new Float32Array()};

function match([hypothesis, reference]: readonly [string, string], encoded: CheckedTokens): Match {
  const {bySentence, features = 1} = encoded;
  const [x, y] = [bySentence.get(hypothesis) ?? noTokens, bySentence.get(reference) ?? noTokens];
  const [n, m] = [x.tokens.length, y.tokens.length];
  const scores = rowProducts(unitRows(x.vectors, features), unitRows(y.vectors, features), features);
  const precision = new Float64Array(n).fill(-Infinity);
  const recall = new Float64Array(m).fill(-Infinity);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      const score = scores[i * m + j] ?? 0;
      precision[i] = Math.max(precision[i] ?? 0, score);
      recall[j] = Math.max(recall[j] ?? 0, score);
    }
  return {precision: {tokens: x.tokens, cosines: precision}, recall: {tokens: y.tokens, cosines: recall}};
}

/**
 * log of (references + 1) / (references with the token + 1): 0 for a token that all have, as special ones are.
 *
 * @param references [references] tokens of each
 */
function idfWeights(references: readonly ArrayLike<number>[]): (token: number) => number {
  const counts = new Map<number, number>();
  for (const tokens of references)
    for (const token of new Set(Array.from(tokens))) counts.set(token, (counts.get(token) ?? 0) + 1);
  return (token) => Math.log((references.length + 1) / ((counts.get(token) ?? 0) + 1));
}

const nothing: Matching = {precision: 0, recall: 0, f1: 0};

function valuesOf(match: Match, weightOf: (token: number) => number): Matching {
  const precision = weightedMean(match.precision, weightOf);
  const recall = weightedMean(match.recall, weightOf);
  if (precision === undefined || recall === undefined) return nothing;
  const sum = precision + recall;
  return {precision, recall, f1: sum === 0 ? 0 : (2 * precision * recall) / sum};
}

/** Nothing where no token counts. */
function weightedMean(
  {tokens, cosines}: MatchedSide,
  weightOf: (token: number) => number,
): number | undefined {
  let [above, below] = [0, 0];
  for (const [index, cosine] of cosines.entries()) {
    const weight = weightOf(tokens[index] ?? 0);
    if (weight === 0) continue; // -Infinity, where there is nothing to match, times 0 is NaN
    above += weight * cosine;
    below += weight;
  }
  return below === 0 || !Number.isFinite(above) ? undefined : above / below;
}

function bestOf(values: readonly Matching[]): Matching {
  const best = (name: keyof Matching): number => Math.max(...values.map((each) => each[name]));
  return {precision: best('precision'), recall: best('recall'), f1: best('f1')};
}

function rescaled(value: Matching, baseline: Matching): Matching {
  const scale = (name: keyof Matching): number => (value[name] - baseline[name]) / (1 - baseline[name]);
  return {precision: scale('precision'), recall: scale('recall'), f1: scale('f1')};
}

/** As bert_score writes it, with our version; of a baseline its values too, for anyone can bring one. */
function hashOf({name, layer}: Encoder, idf: boolean, baseline: Matching | undefined): string {
  const version = scoreVersion.replace(':', '=');
  const rescaling = baseline
    ? `-custom-rescaled(${[baseline.precision, baseline.recall, baseline.f1].map((each) => formatFixed(each, 4)).join()})`
    : '';
  return `${name}_L${layer}_${idf ? 'idf' : 'no-idf'}_${version}${rescaling}`;
}
