/** What a training run tells while it goes on: the trainer yields these, metrics.jsonl holds one a line. */
import type {LanguageReport} from '../data/report.js';
import type {LanguagePerplexity, PairAlignment, SampleTranslation} from '../eval/results.js';

export type {LanguagePerplexity, PairAlignment, SampleTranslation} from '../eval/results.js';

/** Losses by objective, in nats per target token; `contrastive` in nats per pair. Absent: not trained in this step. */
export interface ObjectiveLosses {
  /** Of `next`, in nats per token. */
  readonly next?: number;
  /** Of `mapping`, in nats per token of the translation. */
  readonly mapping?: number;
  /** Of `contrastive`, in nats per sentence pair. */
  readonly contrastive?: number;
}

/** A number for each objective. */
export interface ObjectiveNumbers {
  /** Of the next token. */
  readonly next: number;
  /** Of mapping. */
  readonly mapping: number;
  /** Of contrastive alignment. */
  readonly contrastive: number;
}

/** The first event of a run or of its continuation. */
export interface StartEvent {
  /** Tells events apart. */
  readonly type: 'start';
  /** Name of the run. */
  readonly name: string;
  /** Optimiser steps of the whole run. */
  readonly steps: number;
  /** Step the run continues from; 0 for a new run. */
  readonly resumedFrom: number;
  /** Numbers in all parameters of the decoder. */
  readonly parameters: number;
  /** Where it computes: `cpu`, `cuda` or `simt`. */
  readonly device: string;
  /** Of weights and activations. */
  readonly dtype: string;
  /** All languages of the data, sorted. */
  readonly languages: readonly string[];
  /** How the tokenizer cuts the text of each language; absent in events of older programs. */
  readonly fertility?: readonly LanguageFertility[];
  /** Folder of the run. */
  readonly output: string;
}

/** How finely the tokenizer cuts a language. */
export type LanguageFertility = Pick<
  LanguageReport,
  'language' | 'fertility' | 'tokensPerCharacter' | 'bytesPerToken'
>;

/** A step that was applied. */
export interface StepEvent {
  /** Tells events apart. */
  readonly type: 'step';
  /** Steps done, from 1. */
  readonly step: number;
  /** The weighted sum of the objectives. */
  readonly loss: number;
  /** Of each objective that the step trained, without its weight. */
  readonly losses: ObjectiveLosses;
  /** Weight of each objective in this step, warm-up included. */
  readonly weights?: ObjectiveNumbers;
  /** Of this step. */
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
  /** Tokens of the step by the seconds that it took. */
  readonly tokensPerSecond: number;
  /** Share of the tokens that are targets of each objective. */
  readonly targetShares?: Pick<ObjectiveNumbers, 'next' | 'mapping'>;
  /** Sentence pairs that were aligned. */
  readonly pairs: number;
  /** Most pairs that were compared with each other at once. */
  readonly comparedPairs?: number;
  /** Most bytes of the device that the run has held at one time so far; absent in events of older programs. */
  readonly peakBytes?: number;
  /** Seconds since the run (or its continuation) started. */
  readonly seconds: number;
  /** Seconds until the run ends, evaluations to come included. */
  readonly etaSeconds: number;
}

/** The model measured on held-out text. */
export interface EvaluationEvent {
  /** Tells events apart. */
  readonly type: 'evaluation';
  /** Steps done before; 0 is the untrained model. */
  readonly step: number;
  /** One entry for each language with held-out documents. */
  readonly perplexity: readonly LanguagePerplexity[];
  /** One entry for each language pair with enough held-out pairs. */
  readonly alignment: readonly PairAlignment[];
  /** A few held-out sentences, translated. */
  readonly samples: readonly SampleTranslation[];
  /** How long it took. */
  readonly seconds: number;
}

/** A checkpoint that was published. */
export interface CheckpointEvent {
  /** Tells events apart. */
  readonly type: 'checkpoint';
  /** Steps done. */
  readonly step: number;
  /** Folder of the checkpoint. */
  readonly path: string;
  /** How long writing took. */
  readonly seconds: number;
}

/** Something the user should know that stops nothing. */
export interface WarningEvent {
  /** Tells events apart. */
  readonly type: 'warning';
  /** Steps done. */
  readonly step: number;
  /** One sentence or more, for people. */
  readonly message: string;
}

/** The last event: the run came to its end, or was stopped with its state saved. */
export interface EndEvent {
  /** Tells events apart. */
  readonly type: 'end';
  /** `aborted` where the signal stopped it, with a checkpoint of its last step. */
  readonly reason: 'finished' | 'aborted';
  /** Steps done. */
  readonly step: number;
  /** Since the run, or its continuation, started. */
  readonly seconds: number;
  /** Most memory of the device that tensors held at one time, in bytes. */
  readonly peakBytes: number;
}

/** An event of a run. */
export type TrainEvent = StartEvent | StepEvent | EvaluationEvent | CheckpointEvent | WarningEvent | EndEvent;
