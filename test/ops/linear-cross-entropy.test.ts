import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {linearCrossEntropy, scale} from '../../lib/ops/index.js';
import {tensor, zeros, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
  type On,
} from '../support/ops.js';
import {
  referenceLogProbabilities,
  referenceLoss,
  type Case,
  type Options,
} from './linear-cross-entropy-reference.js';

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

onEachDevice(floatDTypes, 'linearCrossEntropy gradients follow the gradient of the loss', async (t, on) => {
  const each = {tokens: 5, vocab: 9, features: 4, targets: [0, 8, 3, -1, 2]};
  const gradients = async (factor: number): Promise<Float32Array[]> => {
    const [hidden, weight, ids] = tensorsOf(inputsOf(each, on.dtype), each, on);
    const leaves = [hidden!, weight!].map(requireGradient);
    backward(scale(linearCrossEntropy(leaves[0]!, leaves[1]!, ids!).loss, factor));
    return Promise.all(leaves.map((leaf) => gradient(leaf)!.floats()));
  };
  const [once, fourfold] = await Promise.all([gradients(1), gradients(4)]);
  // A power of two changes no rounding.
  for (const [index, values] of once.entries())
    t.deepEqual(
      fourfold[index],
      values.map((value) => 4 * value),
    );
});

onEachDevice(
  floatDTypes,
  'linearCrossEntropy gives the gradient of one input where only one is wanted',
  async (t, on) => {
    const each = {tokens: 5, vocab: 9, features: 4, targets: [0, 8, 3, -1, 2]};
    const gradients = async (wanted: readonly boolean[]): Promise<(Float32Array | undefined)[]> => {
      const [hidden, weight, ids] = tensorsOf(inputsOf(each, on.dtype), each, on);
      const inputs = [hidden!, weight!];
      for (const [index, input] of inputs.entries()) if (wanted[index]!) requireGradient(input);
      backward(linearCrossEntropy(inputs[0]!, inputs[1]!, ids!).loss);
      return Promise.all(inputs.map(async (input) => gradient(input)?.floats()));
    };
    const [dHidden, dWeight] = await gradients([true, true]);
    t.deepEqual(await gradients([true, false]), [dHidden, undefined]);
    t.deepEqual(await gradients([false, true]), [undefined, dWeight]);
  },
);

onEachDevice(
  floatDTypes,
  'linearCrossEntropy without a target that counts is 0, and so are gradients',
  async (t, on) => {
    const cases: readonly Options[] = [
      {},
      {weights: [0, 0, 0]},
      {normalizer: 2},
      {weights: [0, 0, 0], normalizer: 2},
    ];
    for (const options of cases) {
      const each = {tokens: 3, vocab: 7, features: 2, targets: options.weights ? [1, 2, 3] : [-1, -1, -1]};
      const [hidden, weight, ids] = tensorsOf(inputsOf(each, on.dtype), each, on);
      const leaves = [hidden!, weight!].map(requireGradient);
      const {loss, logProbabilities} = linearCrossEntropy(leaves[0]!, leaves[1]!, ids!, {
        ...optionsOf(options, on),
        logProbabilities: true,
      });
      backward(loss);
      t.is(await loss.item(), 0);
      t.deepEqual([...(await logProbabilities.floats())], [0, 0, 0]);
      for (const leaf of leaves) t.true((await gradient(leaf)!.floats()).every((value) => value === 0));
    }
  },
);

onEachDevice(floatDTypes, 'linearCrossEntropy takes no tokens and no features', async (t, on) => {
  const none = zeros([0], {device: on.device, dtype: 'int32'});
  const weight = requireGradient(tensor([[1, 2]], on));
  const {loss} = linearCrossEntropy(zeros([0, 2], on), weight, none);
  backward(loss);
  t.is(await loss.item(), 0);
  t.deepEqual([...(await gradient(weight)!.floats())], [0, 0]);
  const even = linearCrossEntropy(zeros([2, 0], on), zeros([8, 0], on), zeros([2], {...on, dtype: 'int32'}));
  closeTo(t, [await even.loss.item()], [Math.log(8)], 1e-6);
});

onEachDevice(floatDTypes, 'linearCrossEntropy is finite for logits of thousands', async (t, on) => {
  const each = {tokens: 9, vocab: 21, features: 6, targets: wholeNumbers(9, 21, 3)};
  await forwardMatches(t, on, each, 100);
  const [hidden, weight, ids] = tensorsOf(inputsOf(each, on.dtype, 100), each, on);
  const leaves = [hidden!, weight!].map(requireGradient);
  backward(linearCrossEntropy(leaves[0]!, leaves[1]!, ids!).loss);
  for (const leaf of leaves)
    t.true((await gradient(leaf)!.floats()).every((value) => Number.isFinite(value)));
});

onEachDevice(
  ['float32'],
  'linearCrossEntropy names the token and the target that is out of range',
  async (t, on) => {
    for (const [wrong, options, message] of [
      [
        9,
        {},
        'linearCrossEntropy: target 9 of token 3 must be 0 or more and below 9, or ignoreIndex, which is -1',
      ],
      [
        -1,
        {ignoreIndex: -100},
        'linearCrossEntropy: target -1 of token 3 must be 0 or more and below 9, or ignoreIndex, which is -100',
      ],
    ] as const) {
      const each = {tokens: 5, vocab: 9, features: 4, targets: [0, 8, 3, wrong, 12]};
      const [hidden, weight, ids] = tensorsOf(inputsOf(each, on.dtype), each, on);
      const leaves = [hidden!, weight!].map(requireGradient);
      const {loss, logProbabilities} = linearCrossEntropy(leaves[0]!, leaves[1]!, ids!, {
        ...options,
        logProbabilities: true,
      });
      backward(loss);
      await t.throwsAsync(loss.item(), {code: 'ERR_INDEX', message});
      // The fault is told once; what was computed is 0.
      t.is(await loss.item(), 0);
      t.true((await logProbabilities.floats()).every((value) => value === 0));
      for (const leaf of leaves) t.true((await gradient(leaf)!.floats()).every((value) => value === 0));
    }
  },
);

test('linearCrossEntropy names the argument and what was expected', (t) => {
  const hidden = zeros([4, 6]);
  const weight = zeros([9, 6]);
  const ids = zeros([4], {dtype: 'int32'});
  const refuse = (work: () => unknown, code: string, message: string): void => {
    t.throws(work, {code, message: `linearCrossEntropy: ${message}`});
  };
  refuse(() => linearCrossEntropy(zeros([4]), weight, ids), 'ERR_SHAPE', 'hidden must have 2 axes; got [4]');
  refuse(() => linearCrossEntropy(hidden, zeros([9]), ids), 'ERR_SHAPE', 'weight must have 2 axes; got [9]');
  refuse(
    () => linearCrossEntropy(hidden, zeros([9, 5]), ids),
    'ERR_SHAPE',
    'weight must be [9, 6] to match hidden [4, 6]; got [9, 5]',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, zeros([5], {dtype: 'int32'})),
    'ERR_SHAPE',
    'targets must be [4] to match hidden [4, 6]; got [5]',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, zeros([4])),
    'ERR_DTYPE',
    'targets must be int32; got float32',
  );
  refuse(
    () => linearCrossEntropy(hidden, zeros([9, 6], {dtype: 'bfloat16'}), ids),
    'ERR_DTYPE',
    'weight must be float32 to match hidden; got bfloat16',
  );
  refuse(
    () => linearCrossEntropy(zeros([4, 6], {dtype: 'int32'}), zeros([9, 6], {dtype: 'int32'}), ids),
    'ERR_DTYPE',
    'hidden must be float32, bfloat16 or float16; got int32',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, ids, {weights: zeros([3])}),
    'ERR_SHAPE',
    'options.weights must be [4] to match hidden [4, 6]; got [3]',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, ids, {weights: zeros([4], {dtype: 'bfloat16'})}),
    'ERR_DTYPE',
    'options.weights must be float32; got bfloat16',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, ids, {labelSmoothing: 1.5}),
    'ERR_ARGUMENT',
    'options.labelSmoothing must be from 0 to 1; got 1.5',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, ids, {zLoss: -1}),
    'ERR_ARGUMENT',
    'options.zLoss must be a number, 0 or more; got -1',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, ids, {softcap: 0}),
    'ERR_ARGUMENT',
    'options.softcap must be a number above 0; got 0',
  );
  refuse(
    () => linearCrossEntropy(hidden, weight, ids, {normalizer: Infinity}),
    'ERR_ARGUMENT',
    'options.normalizer must be a number above 0; got Infinity',
  );
  const gone = zeros([9, 6]);
  gone.dispose();
  t.throws(() => linearCrossEntropy(hidden, gone, ids), {code: 'ERR_DISPOSED'});
});

test('linearCrossEntropy equals the reference for any options', async (t) => {
  const property = fc.asyncProperty(
    fc.record({
      tokens: fc.integer({min: 1, max: 20}),
      vocab: fc.integer({min: 1, max: 40}),
      features: fc.integer({min: 1, max: 12}),
      seed: fc.nat(),
      labelSmoothing: fc.constantFrom(0, 0.1, 0.5),
      zLoss: fc.constantFrom(0, 1e-3),
      softcap: fc.constantFrom(undefined, 3),
      ignored: fc.integer({min: 0, max: 3}),
    }),
    async ({seed, softcap, ignored, ...sizes}) => {
      const chosen = wholeNumbers(sizes.tokens, sizes.vocab, seed);
      const each: Case = {
        ...sizes,
        targets: chosen.map((target, index) => (ignored > 0 && index % 4 < ignored ? -1 : target)),
        weights: wholeNumbers(sizes.tokens, 3, seed + 1),
        ...(softcap !== undefined && {softcap}),
      };
      for (const dtype of floatDTypes) await forwardMatches(t, {device: 'cpu', dtype}, each);
    },
  );
  await fc.assert(property, {seed: 9, numRuns: 40});
});
