/** BERTScore and crossmap-score of the outputs of tasks. */
import type {Config, Suite, SuiteTask} from '../../config/index.js';
import type {Tokenizer} from '../../data/index.js';
import {CrossmapError} from '../../errors.js';
import type {Decoder} from '../../nn/index.js';
import {bertScore, type Matching} from '../bert-score/bert-score.js';
import {decoderEncoder} from '../bert-score/decoder-encoder.js';
import type {Encoder} from '../bert-score/encoder.js';
import {loadEncoder} from '../bert-score/load-encoder.js';
import type {Translated} from '../text-metric.js';
import {meanInterval} from '../intervals.js';
import type {SuiteScore} from './results.js';
import type {SuiteInput} from './run.js';
import {isVectorMetric, type VectorMetric} from './text-metrics.js';

/** A model that gives crossmap-score its vectors. */
export interface ScoringModel {
  /** Whose vectors are compared. */
  readonly decoder: Decoder;
  /** That it was trained with. */
  readonly tokenizer: Tokenizer;
  /** Of the run that trained it. */
  readonly config: Pick<Config, 'objectives' | 'training'>;
  /** Frees the model. */
  dispose(): void;
}

/** Scores that need vectors. */
export interface VectorScorers {
  /** Precision, recall and F1. */
  score(
    metric: VectorMetric,
    outputs: {readonly language: string; readonly translated: readonly Translated[]},
  ): Promise<SuiteScore[]>;
  dispose(): Promise<void>;
}

/**
 * Opens what the tasks of a suite need for scores of vectors, before anything is measured.
 *
 * @throws ERR_DATA for an encoder that cannot be loaded; ERR_ARGUMENT for a scoring model without the language of a task, or where one is
 *   wanted and `openModel` is not given; what that throws
 */
export async function openVectorScorers(input: SuiteInput): Promise<VectorScorers> {
  const {suite, signal} = input;
  const wanted = suite.tasks.flatMap(metricsOf);
  const opened: {readonly encoder?: Encoder; readonly model?: ScoringModel} = {
    ...(suite.bertscore && isWanted(wanted, 'bertscore')
      ? {encoder: await loadEncoder(suite.bertscore.encoder)}
      : {}),
    ...(isWanted(wanted, 'crossmap-score') ? await openScoringModel(input) : {}),
  };
  const {tokenizer, decoder, config} = opened.model ?? input;
  const dispose = async (): Promise<void> => {
    opened.model?.dispose();
    await opened.encoder?.dispose?.();
  };
  const unknown = unknownLanguage(wanted, tokenizer);
  if (unknown !== undefined) {
    await dispose();
    throw new CrossmapError('ERR_ARGUMENT', unknown);
  }
  return {
    dispose,
    async score(metric, {language, translated}) {
      const encoder =
        metric === 'bertscore'
          ? opened.encoder
          : await decoderEncoder(decoder, tokenizer, {
              language,
              tokensPerBatch: config.training.tokensPerBatch,
              prefix: config.objectives.mapping.prefix,
            });
      if (encoder === undefined)
        throw new CrossmapError('ERR_ARGUMENT', `${metric} needs an encoder: bertscore.encoder names it`);
      const baseline =
        metric === 'bertscore'
          ? suite.bertscore?.baselines?.find((each) => each.language === language)
          : undefined;
      const found = await bertScore(encoder, translated, {
        idf: (metric === 'bertscore' ? suite.bertscore : suite.crossmapScore)?.idf ?? false,
        ...(baseline && {baseline}),
        ...(signal && {signal}),
      });
      return values.map(({name, of}): SuiteScore => {
        const own = found.sentences.map(of);
        const [low, high] = meanInterval(own, suite);
        return {
          metric,
          name: `${titles[metric]} ${name}`,
          score: of(found),
          signature: found.hash,
          halfWidth: (high - low) / 2,
          values: own,
        };
      });
    },
  };
}

const titles = {bertscore: 'BERTScore', 'crossmap-score': 'crossmap-score'} as const satisfies Record<
  VectorMetric,
  string
>;

const values: readonly {readonly name: string; readonly of: (each: Matching) => number}[] = [
  {name: 'P', of: ({precision}) => precision},
  {name: 'R', of: ({recall}) => recall},
  {name: 'F1', of: ({f1}) => f1},
];

/** A score of vectors that a task wants, and of which language. */
interface Wanted {
  readonly metric: VectorMetric;
  readonly language: string;
}

function metricsOf(task: Suite['tasks'][number]): Wanted[] {
  if (task.type !== 'translation' && task.type !== 'questions') return [];
  return (task.metrics ?? []).filter(isVectorMetric).map((metric) => ({metric, language: languageOf(task)}));
}

function languageOf(task: Extract<SuiteTask, {type: 'translation' | 'questions'}>): string {
  return task.type === 'translation' ? task.target : task.language;
}

function isWanted(all: readonly Wanted[], metric: VectorMetric): boolean {
  return all.some((each) => each.metric === metric);
}

/** Nothing where the model that is measured gives the vectors. */
async function openScoringModel({suite, openModel}: SuiteInput): Promise<{readonly model?: ScoringModel}> {
  const {model} = suite.crossmapScore;
  if (model === undefined) return {};
  if (openModel === undefined)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `runSuite: openModel is needed to open crossmapScore.model, ${model}`,
    );
  return {model: await openModel(model)};
}

/** What is wrong, if anything is. */
function unknownLanguage(wanted: readonly Wanted[], {languages}: Tokenizer): string | undefined {
  const unknown = wanted.find(
    ({metric, language}) => metric === 'crossmap-score' && !languages.includes(language),
  );
  return (
    unknown &&
    `crossmap-score: ${unknown.language} is no language of the model that gives the vectors (${languages.join(', ')})`
  );
}
