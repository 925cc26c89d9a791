import type {ExecutionContext} from 'ava';
import {linearCrossEntropy} from '../../lib/ops/index.js';
import {tensor, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
  type On,
} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

interface Options {
  readonly weights?: readonly number[];
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly zLoss?: number;
  readonly softcap?: number;
  readonly normalizer?: number;
}

interface Case extends Options {
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

function referenceLoss(hidden: readonly number[], weight: readonly number[], each: Case): number {
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

function referenceLogProbabilities(
  hidden: readonly number[],
  weight: readonly number[],
  each: Case,
  round: Round = exact,
): number[] {
  return referenceTokens(hidden, weight, each).map((token) =>
    token === undefined ? 0 : round(token.logits[token.target]! - token.lse),
  );
}

interface Inputs {
  readonly hidden: number[];
  readonly weight: number[];
}

function inputsOf({tokens, vocab, features}: Case, dtype: FloatDType, size = 1): Inputs {
  return {
    hidden: representable(normalNumbers(tokens * features, 1, size), dtype),
    weight: representable(normalNumbers(vocab * features, 2, size / Math.sqrt(features)), dtype),
  };
}

function tensorsOf({hidden, weight}: Inputs, {tokens, vocab, features, targets}: Case, on: On): Tensor[] {
  return [
    tensor(hidden, {...on, shape: [tokens, features]}),
    tensor(weight, {...on, shape: [vocab, features]}),
    tensor([...targets], {device: on.device, dtype: 'int32'}),
  ];
}

/** The options with weights as a tensor. */
function optionsOf(
  {weights, ignoreIndex, labelSmoothing, zLoss, softcap, normalizer}: Options,
  {device}: On,
) {
  return {
    ...(weights !== undefined && {weights: tensor([...weights], {device})}),
    ...(ignoreIndex !== undefined && {ignoreIndex}),
    ...(labelSmoothing !== undefined && {labelSmoothing}),
    ...(zLoss !== undefined && {zLoss}),
    ...(softcap !== undefined && {softcap}),
    ...(normalizer !== undefined && {normalizer}),
  };
}

async function forwardMatches(t: ExecutionContext, on: On, each: Case, size = 1): Promise<void> {
  const inputs = inputsOf(each, on.dtype, size);
  const [hidden, weight, targets] = tensorsOf(inputs, each, on);
  const {loss, logProbabilities} = linearCrossEntropy(hidden!, weight!, targets!, {
    ...optionsOf(each, on),
    logProbabilities: true,
  });
  t.deepEqual(loss.shape, []);
  t.is(loss.dtype, 'float32');
  await asGoodAsPlain(t, loss, () => [referenceLoss(inputs.hidden, inputs.weight, each)]);
  t.is(logProbabilities.dtype, 'float32');
  await asGoodAsPlain(t, logProbabilities, (round) =>
    referenceLogProbabilities(inputs.hidden, inputs.weight, each, round),
  );
}

async function gradientsAreRight(t: ExecutionContext, on: On, each: Case): Promise<void> {
  const inputs = inputsOf(each, on.dtype);
  const targets = tensor([...each.targets], {device: on.device, dtype: 'int32'});
  await gradientsMatch(t, on, {
    inputs: {
      hidden: {shape: [each.tokens, each.features], values: inputs.hidden},
      weight: {shape: [each.vocab, each.features], values: inputs.weight},
    },
    op: (hidden, weight) => linearCrossEntropy(hidden, weight, targets, optionsOf(each, on)).loss,
    reference: (hidden, weight) => [referenceLoss(hidden, weight, each)],
  });
}

// Vectors of 4, 8 or 16 logits; micro-tiles of 14 or 6 tokens.
for (const [tokens, vocab, features] of [
  [1, 1, 1],
  [1, 2, 3],
  [5, 15, 4],
  [6, 16, 7],
  [7, 17, 8],
  [14, 31, 9],
  [15, 33, 16],
  [17, 127, 17],
  [33, 129, 15],
] as const)
  onEachDevice(floatDTypes, `linearCrossEntropy [${tokens}, ${features}], vocab ${vocab}`, (t, on) =>
    forwardMatches(t, on, {tokens, vocab, features, targets: wholeNumbers(tokens, vocab, 3)}),
  );

const tokens = 19;
const vocab = 37;
const features = 11;
const targets = wholeNumbers(tokens, vocab, 3);
const weights = Array.from({length: tokens}, (_, t) => [1, 0, 0.5, 2][t % 4]!);
const optionCases: Readonly<Record<string, Options & {readonly targets?: readonly number[]}>> = {
  'no option': {},
  'an ignored target': {targets: targets.map((target, t) => (t % 3 === 0 ? -1 : target))},
  'ignoreIndex in the vocabulary': {
    ignoreIndex: 5,
    targets: targets.map((target, t) => (t < 4 ? 5 : target)),
  },
  'weights, some of them 0': {weights},
  'label smoothing': {labelSmoothing: 0.1},
  'label smoothing of 1': {labelSmoothing: 1},
  'z-loss': {zLoss: 0.01},
  softcap: {softcap: 1.5},
  normalizer: {normalizer: 7},
  'all options': {
    weights,
    ignoreIndex: -100,
    labelSmoothing: 0.2,
    zLoss: 0.02,
    softcap: 2,
    normalizer: 3,
    targets: targets.map((target, t) => (t % 5 === 0 ? -100 : target)),
  },
};

for (const [title, options] of Object.entries(optionCases)) {
  const each = {tokens, vocab, features, targets, ...options};
  onEachDevice(floatDTypes, `linearCrossEntropy with ${title}`, (t, on) => forwardMatches(t, on, each));
  onEachDevice(floatDTypes, `linearCrossEntropy gradients with ${title}`, (t, on) =>
    gradientsAreRight(t, on, each),
  );
}
