/** Which sources training draws from, and how much from each. */
import {stageEnds, type Config} from '../../config/index.js';
import {CrossmapError} from '../../errors.js';
import type {TextSize} from '../report.js';
import {createSchedule, type Schedule} from './schedule.js';
import {mixShares} from './shares.js';
import {pairSource, sideSource, textSource, type PairShard, type Source, type TextShard} from './source.js';

/** The shards of prepared data. */
export interface TrainingShards {
  /** One for each language with text to train on. */
  readonly texts: readonly TextShard[];
  /** One for each source of pairs. */
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
  /** Share of the tokens that all text, or all pairs, take. */
  readonly share: number;
  /** How often training goes through the corpus. */
  readonly epochs: number;
}

/** A part of training, with pairs that no other part has. */
export interface MixtureStage {
  /** Micro-batches of training that are over once the stage is. */
  readonly until: number;
  readonly pairs: readonly QuotaSource[];
  /**
   * Share of the stage's work on pairs that is due once a share of the whole training is over; absent where there is no other text, so
   * pairs are always due.
   */
  readonly schedule: Schedule | undefined;
  /** Tokens of the pairs that the stage takes, each counted with the mean length of its source. */
  readonly pairTokens: number;
}

/** The plan of a whole training. */
export interface Mixture {
  readonly texts: readonly SharedSource[];
  /** In order; at least one. */
  readonly stages: readonly MixtureStage[];
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
  /** Whether each corpus of text, or each of the pairs of a stage, is gone through more often than `maxEpochs`. */
  readonly exhausted: {readonly texts: boolean; readonly pairs: boolean};
}

/**
 * Plans the mixture. Pairs are laid out by the weights of the objectives: with mapping, as mapping segments; with contrastive alignment
 * alone, as two texts of one batch whose spans are aligned; with neither, each side is text of its own, in an order of its own, so that
 * nothing tells which sentences belong together. Each sentence is then seen as often as in the other layouts with the same tokens.
 *
 * @throws ERR_CONFIG for a list of shares that cannot be scaled: see `createSchedule`; for a stage in which no pairs are due
 */
export function planMixture({texts, pairs}: TrainingShards, config: Config): Mixture {
  const {steps, accumulation, tokensPerBatch} = config.training;
  const batches = steps * accumulation;
  const tokens = batches * tokensPerBatch;
  const share = shareOfPairs({texts, pairs}, config);
  const textSources = texts.map(textSource);
  const mixedTexts = mixSources(
    textSources.map((source) => [source]),
    {...config.data, budget: (1 - share) * tokens},
  );
  const stages = planStages(pairs, {config, share, tokens});
  return {
    texts: textSources.map((source, i) => ({source, share: mixedTexts.planned[i]?.share ?? 0})),
    stages: stages.map(({stage}) => stage),
    batches,
    tokens,
    mappingShare: share,
    plannedTexts: mixedTexts.planned,
    plannedPairs: pairs.flatMap((pair) => stages.flatMap(({planned}) => planned.get(pair) ?? [])),
    exhausted: {texts: mixedTexts.exhausted, pairs: stages.some(({exhausted}) => exhausted)},
  };
}

interface PlannedStage {
  readonly stage: MixtureStage;
  /** What the stage makes of its pairs. */
  readonly planned: ReadonlyMap<PairShard, PlannedCorpus>;
  readonly exhausted: boolean;
}

interface StageOptions {
  readonly config: Config;
  /** Share of all tokens that pairs take. */
  readonly share: number;
  /** Tokens of the whole training. */
  readonly tokens: number;
}

/** Shares the work on pairs out over the stages, as the schedule has it due, and in each over its pairs. */
function planStages(pairs: readonly PairShard[], {config, share, tokens}: StageOptions): PlannedStage[] {
  const {stages, mappingSchedule: schedule} = config.data;
  const {steps, accumulation} = config.training;
  const due = share < 1 ? createSchedule({schedule, share, steps}) : undefined;
  const ends = stages === undefined ? [steps] : stageEnds(stages, steps);
  return ends.map((end, index) => {
    const [from, name] = [ends[index - 1] ?? 0, stages?.[index]?.pairs];
    const before = due ? due(from / steps) : from / steps;
    const work = (due ? due(end / steps) : end / steps) - before;
    if (name !== undefined && share > 0 && work <= 0)
      throw new CrossmapError(
        'ERR_CONFIG',
        `data.stages[${index}] takes pairs from ${name} in steps ${from + 1} to ${end}, in which data.mappingSchedule has none due; ` +
          'let the stage be longer, or the schedule another one',
      );
    const own = stages === undefined ? pairs : pairs.filter((pair) => pair.name === name);
    const sources = own.map((pair) => layoutOf(pair, config));
    const {planned, exhausted} = mixSources(sources, {...config.data, budget: work * share * tokens});
    const quotas = sources.flatMap((each, i) => {
      const {epochs = 0} = planned[i] ?? {};
      return each.map((source): QuotaSource => ({source, quota: Math.ceil(epochs * source.units)}));
    });
    const taken = quotas.reduce((sum, {source, quota}) => sum + (quota * source.tokens) / source.units, 0);
    const stage: MixtureStage = {
      until: end * accumulation,
      pairs: share === 0 ? [] : quotas,
      schedule: due && ((progress) => (due(progress) - before) / work),
      pairTokens: share === 0 ? 0 : taken,
    };
    const all = planned.map((corpus) => ({...corpus, share: corpus.share * work}));
    return {stage, exhausted, planned: new Map(own.map((pair, i) => [pair, all[i] ?? unplanned]))};
  });
}

const unplanned: PlannedCorpus = {size: {segments: 0, tokens: 0, bytes: 0}, share: 0, epochs: 0};

interface MixedSources {
  readonly planned: readonly PlannedCorpus[];
  readonly exhausted: boolean;
}

interface MixOptions extends Pick<Config['data'], 'alpha' | 'maxEpochs'> {
  /** Tokens that all of them take together. */
  readonly budget: number;
}

/** @param corpora the sources of each corpus */
function mixSources(
  corpora: readonly (readonly Source[])[],
  {alpha, maxEpochs, budget}: MixOptions,
): MixedSources {
  const sizes = corpora.map(sizeOf);
  const {shares, exhausted} = mixShares(sizes, {alpha, maxEpochs, budget});
  const planned = sizes.map((size, i): PlannedCorpus => {
    const own = shares[i] ?? 0;
    return {size, share: own, epochs: (own * budget) / size.tokens};
  });
  return {planned, exhausted};
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
