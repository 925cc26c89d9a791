/** Cross-entropy of logits as matrices, in float64. */
import {exact, type Round} from '../support/rounding.js';

/** Options of the op, with weights as numbers. */
export interface Options {
  readonly weights?: readonly number[];
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly zLoss?: number;
  readonly softcap?: number;
  readonly normalizer?: number;
}

/** Sizes, targets and options. */
export interface Case extends Options {
  readonly tokens: number;
  readonly vocab: number;
  readonly features: number;
  readonly targets: readonly number[];
}

interface Token {
  readonly weight: number;
  readonly target: number;
  /** [vocab] */
  readonly logits: readonly number[];
  readonly lse: number;
}

/** Logits of the tokens that count, in float64. */
function referenceTokens(
  hidden: readonly number[],
  weight: readonly number[],
  each: Case,
): (Token | undefined)[] {
  const {vocab, features, targets, weights, ignoreIndex = -1, softcap} = each;
  return targets.map((target, t) => {
    const w = weights?.[t] ?? 1;
    if (target === ignoreIndex || w === 0) return undefined;
    const logits = Array.from({length: vocab}, (_, v) => {
      let sum = 0;
      for (let d = 0; d < features; d++) sum += hidden[t * features + d]! * weight[v * features + d]!;
      return softcap === undefined ? sum : softcap * Math.tanh(sum / softcap);
    });
    const most = Math.max(...logits);
    const lse = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
    return {weight: w, target, logits, lse};
  });
}

/** The loss, in float64. */
export function referenceLoss(hidden: readonly number[], weight: readonly number[], each: Case): number {
  const {vocab, labelSmoothing = 0, zLoss = 0, normalizer} = each;
  const tokens = referenceTokens(hidden, weight, each).filter((token) => token !== undefined);
  if (tokens.length === 0) return 0;
  const total = tokens.reduce((sum, {weight: w, target, logits, lse}) => {
    const mean = logits.reduce((a, b) => a + b, 0) / vocab;
    return (
      sum + w * (lse - (1 - labelSmoothing) * logits[target]! - labelSmoothing * mean + zLoss * lse ** 2)
    );
  }, 0);
  return total / (normalizer ?? tokens.reduce((sum, token) => sum + token.weight, 0));
}

/** [tokens] log-probabilities of the targets, 0 where they do not count. */
export function referenceLogProbabilities(
  hidden: readonly number[],
  weight: readonly number[],
  each: Case,
  round: Round = exact,
): number[] {
  return referenceTokens(hidden, weight, each).map((token) =>
    token === undefined ? 0 : round(token.logits[token.target]! - token.lse),
  );
}
