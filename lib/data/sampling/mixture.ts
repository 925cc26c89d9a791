/** Which sources training draws from, and how much from each. */
import type {Config} from '../../config/index.js';
import type {TextSize} from '../report.js';
import {createSchedule, type Schedule} from './schedule.js';
import {mixShares} from './shares.js';
import {pairSource, sideSource, textSource, type PairShard, type Source, type TextShard} from './source.js';

/** The shards of prepared data. */
export interface TrainingShards {
  readonly texts: readonly TextShard[];
  readonly pairs: readonly PairShard[];
}

/** A source of monolingual text and its share of their tokens. */
export interface SharedSource {
  readonly source: Source;
  readonly share: number;
}

/** A source of pairs and how many units the whole training takes of it. */
export interface QuotaSource {
  readonly source: Source;
  readonly quota: number;
}

/** What a corpus has, and how training will use it. */
interface PlannedCorpus {
  readonly size: TextSize;
  /** Share of the tokens of all text, or of all pairs. */
  readonly share: number;
  /** How often training goes through the corpus. */
  readonly epochs: number;
}

/** The plan of a whole training. */
export interface Mixture {
  readonly texts: readonly SharedSource[];
  readonly pairs: readonly QuotaSource[];
  /** Work on pairs that is due; absent where there is no other text, so pairs are always due. */
  readonly schedule: Schedule | undefined;
  /** Tokens of all pairs that the training takes, each counted with the mean length of its source. */
  readonly pairTokens: number;
  /** Micro-batches of the whole training. */
  readonly batches: number;
  /** Tokens of the whole training, as far as batches are filled. */
  readonly tokens: number;
  /** Share of the tokens that pairs take. */
  readonly mappingShare: number;
  /** [languages], as the shards list them */
  readonly plannedTexts: readonly PlannedCorpus[];
  /** [language pairs], as the shards list them */
  readonly plannedPairs: readonly PlannedCorpus[];
  /** Whether each corpus of text, or of pairs, is gone through more often than `maxEpochs`. */
  readonly exhausted: {readonly texts: boolean; readonly pairs: boolean};
}

/**
 * Plans the mixture. Pairs are laid out by the weights of the objectives: with mapping, as mapping segments; with contrastive alignment
 * alone, as two texts of one batch whose spans are aligned; with neither, each side is text of its own, in an order of its own, so that
 * nothing tells which sentences belong together. Each sentence is then seen as often as in the other layouts with the same tokens.
 *
 * @throws ERR_CONFIG for a list of shares that cannot be scaled: see `createSchedule`
 */
export function planMixture({texts, pairs}: TrainingShards, config: Config): Mixture {
  const {alpha, maxEpochs, mappingSchedule: schedule} = config.data;
  const {steps, accumulation, tokensPerBatch} = config.training;
  const batches = steps * accumulation;
  const tokens = batches * tokensPerBatch;
  const share = shareOfPairs({texts, pairs}, config);

  const mix = (corpora: readonly (readonly Source[])[], budget: number): MixedSources => {
    const sizes = corpora.map(sizeOf);
    const {shares, exhausted} = mixShares(sizes, {alpha, maxEpochs, budget});
    const planned = sizes.map((size, i): PlannedCorpus => {
      const own = shares[i] ?? 0;
      return {size, share: own, epochs: (own * budget) / size.tokens};
    });
    return {planned, exhausted};
  };
  const textSources = texts.map(textSource);
  const pairSources = pairs.map((pair) => layoutOf(pair, config));
  const mixedTexts = mix(
    textSources.map((source) => [source]),
    (1 - share) * tokens,
  );
  const mixedPairs = mix(pairSources, share * tokens);
  const quotas = pairSources.flatMap((sources, i) => {
    const {epochs = 0} = mixedPairs.planned[i] ?? {};
    return sources.map((source): QuotaSource => ({source, quota: Math.ceil(epochs * source.units)}));
  });
  const pairTokens = quotas.reduce((sum, {source, quota}) => sum + (quota * source.tokens) / source.units, 0);
  return {
    texts: textSources.map((source, i) => ({source, share: mixedTexts.planned[i]?.share ?? 0})),
    pairs: share === 0 ? [] : quotas,
    schedule: share < 1 ? createSchedule({schedule, share, steps}) : undefined,
    pairTokens: share === 0 ? 0 : pairTokens,
    batches,
    tokens,
    mappingShare: share,
    plannedTexts: mixedTexts.planned,
    plannedPairs: mixedPairs.planned,
    exhausted: {texts: mixedTexts.exhausted, pairs: mixedPairs.exhausted},
  };
}

interface MixedSources {
  readonly planned: readonly PlannedCorpus[];
  readonly exhausted: boolean;
}

/** Sources of one corpus have the same units: the two sides of pairs, or the pairs. */
function sizeOf(sources: readonly Source[]): TextSize {
  return {
    segments: sources[0]?.units ?? 0,
    tokens: sources.reduce((sum, {tokens}) => sum + tokens, 0),
    bytes: sources.reduce((sum, {bytes}) => sum + bytes, 0),
  };
}

function shareOfPairs({texts, pairs}: TrainingShards, {data}: Config): number {
  if (pairs.length === 0) return 0;
  return texts.length === 0 ? 1 : data.mappingShare;
}

function layoutOf(pair: PairShard, {objectives: {mapping, contrastive}}: Config): Source[] {
  if (mapping.weight > 0) return [pairSource(pair, 'mapping')];
  if (contrastive.weight > 0) return [pairSource(pair, 'texts')];
  return [sideSource(pair, 0), sideSource(pair, 1)];
}
