/** What a training run tells while it goes on: the trainer yields these, metrics.jsonl holds one a line. */
import type {LanguageReport} from '../data/report.js';
import type {LanguagePerplexity, PairAlignment, SampleTranslation} from '../eval/results.js';

export type {LanguagePerplexity, PairAlignment, SampleTranslation} from '../eval/results.js';

/** Losses by objective, in nats per target token; `contrastive` in nats per pair. Absent: not trained in this step. */
export interface ObjectiveLosses {
  readonly next?: number;
  readonly mapping?: number;
  readonly contrastive?: number;
}

/** A number for each objective. */
export interface ObjectiveNumbers {
  readonly next: number;
  readonly mapping: number;
  readonly contrastive: number;
}

/** The first event of a run or of its continuation. */
export interface StartEvent {
  readonly type: 'start';
  readonly name: string;
  readonly steps: number;
  /** Step the run continues from; 0 for a new run. */
  readonly resumedFrom: number;
  readonly parameters: number;
  readonly device: string;
  readonly dtype: string;
  readonly languages: readonly string[];
  /** How the tokenizer cuts the text of each language; absent in events of older programs. */
  readonly fertility?: readonly LanguageFertility[];
  readonly output: string;
}

/** How finely the tokenizer cuts a language. */
type LanguageFertility = Pick<
  LanguageReport,
  'language' | 'fertility' | 'tokensPerCharacter' | 'bytesPerToken'
>;

/** A step that was applied. */
export interface StepEvent {
  readonly type: 'step';
  /** Steps done, from 1. */
  readonly step: number;
  /** The weighted sum of the objectives. */
  readonly loss: number;
  readonly losses: ObjectiveLosses;
  /** Weight of each objective in this step, warm-up included. */
  readonly weights?: ObjectiveNumbers;
  readonly learningRate: number;
  /** Global gradient norm before clipping. */
  readonly gradientNorm: number;
  /**
   * Of each objective, weight included, with respect to the states of the lowest aligned layer: which one rules there. Every
   * `training.gradientNormsEvery` steps.
   */
  readonly gradientNorms?: ObjectiveLosses;
  /** Tokens trained on in this step. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Share of the tokens that are targets of each objective. */
  readonly targetShares?: Pick<ObjectiveNumbers, 'next' | 'mapping'>;
  /** Sentence pairs that were aligned. */
  readonly pairs: number;
  /** Most pairs that were compared with each other at once. */
  readonly comparedPairs?: number;
  /** Seconds since the run (or its continuation) started. */
  readonly seconds: number;
  readonly etaSeconds: number;
}

/** The model measured on held-out text. */
export interface EvaluationEvent {
  readonly type: 'evaluation';
  readonly step: number;
  readonly perplexity: readonly LanguagePerplexity[];
  readonly alignment: readonly PairAlignment[];
  readonly samples: readonly SampleTranslation[];
  readonly seconds: number;
}

/** A checkpoint that was published. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
  readonly path: string;
  readonly seconds: number;
}

/** Something the user should know that stops nothing. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly step: number;
  readonly message: string;
}

/** The last event: the run came to its end, or was stopped with its state saved. */
export interface EndEvent {
  readonly type: 'end';
  readonly reason: 'finished' | 'aborted';
  readonly step: number;
  readonly seconds: number;
  readonly peakBytes: number;
}

/** An event of a run. */
export type TrainEvent = StartEvent | StepEvent | EvaluationEvent | CheckpointEvent | WarningEvent | EndEvent;
