/**
 * linearCrossEntropy on a GPU goes over tokens and vocabulary by one of three plans (linear-cross-entropy-plan.h). The sizes here choose
 * each of them on the emulator, whose 4 multiprocessors give 8 MiB to stored logits: a vocabulary above 43,690 has its logits computed again
 * once 32 tokens or more are there.
 */
import test from 'ava';
import {backward, gradient, noGrad, requireGradient} from '../../lib/autograd/index.js';
import {linearCrossEntropy} from '../../lib/ops/index.js';
import {tensor, type Device, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {closeTo, representable, testDevices} from '../support/ops.js';

interface Sizes {
  readonly tokens: number;
  readonly vocab: number;
  readonly features: number;
  readonly dtype: FloatDType;
  /** No gradient of hidden, which costs the emulator most. */
  readonly onlyWeight?: boolean;
}

interface Results {
  readonly loss: number;
  readonly logProbabilities: Float32Array;
  readonly dHidden: Float32Array;
  readonly dWeight: Float32Array;
}

async function compute(
  device: Device,
  {tokens, vocab, features, dtype, onlyWeight = false}: Sizes,
): Promise<Results> {
  const random = (rows: number, seed: number): Tensor =>
    tensor(representable(normalNumbers(rows * features, seed), dtype), {
      shape: [rows, features],
      dtype,
      device,
    });
  const hidden = onlyWeight ? random(tokens, 1) : requireGradient(random(tokens, 1));
  const weight = requireGradient(random(vocab, 2));
  // Every third token is ignored or has weight 0; one of the last ids of the vocabulary is a target.
  const targets = wholeNumbers(tokens, vocab, 3).map((id, t) =>
    t % 6 === 2 ? -1 : t === 0 ? vocab - 1 : id,
  );
  const weights = normalNumbers(tokens, 4).map((value, t) => (t % 6 === 5 ? 0 : Math.abs(value)));
  const {loss, logProbabilities} = linearCrossEntropy(
    hidden,
    weight,
    tensor(targets, {dtype: 'int32', device}),
    {
      weights: tensor(weights, {device}),
      labelSmoothing: 0.1,
      zLoss: 0.01,
      softcap: 5,
      logProbabilities: true,
    },
  );
  backward(loss);
  return {
    loss: await loss.item(),
    logProbabilities: await logProbabilities.floats(),
    dHidden: onlyWeight ? new Float32Array() : await gradient(hidden)!.floats(),
    dWeight: await gradient(weight)!.floats(),
  };
}

/** Gradients of logits are rounded to the dtype on a GPU; on the CPU float16 is not. */
const rounding: Readonly<Record<FloatDType, number>> = {
  float32: 2 ** -17,
  bfloat16: 2 ** -7,
  float16: 2 ** -10,
};

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

const plans: Readonly<Record<string, Sizes>> = {
  // 8 MiB hold 358 rows of logits with gradients of 16 bits.
  'stored logits of one chunk': {tokens: 33, vocab: 3899, features: 9, dtype: 'float16'},
  'stored logits of two chunks': {tokens: 359, vocab: 3899, features: 8, dtype: 'bfloat16'},
  // 2 MiB hold gradients of 31,744 columns for 33 tokens in 16 bits, and of 15,872 in float32.
  'logits computed again in two groups': {tokens: 33, vocab: 43_700, features: 8, dtype: 'bfloat16'},
  'logits computed again in groups of float32': {
    tokens: 33,
    vocab: 65_601,
    features: 3,
    dtype: 'float32',
    onlyWeight: true,
  },
  // A chunk has 128 tokens at most.
  'logits computed again of two chunks': {tokens: 129, vocab: 43_700, features: 2, dtype: 'float16'},
};

for (const device of testDevices.filter((each) => each !== 'cpu')) {
  for (const [title, sizes] of Object.entries(plans))
    test(`${device} linearCrossEntropy with ${title} is what the CPU gives`, async (t) => {
      const [got, wanted] = [await compute(device, sizes), await compute('cpu', sizes)];
      const unit = rounding[sizes.dtype];
      closeTo(t, [got.loss], [wanted.loss], 2 ** -20 * wanted.loss);
      closeTo(t, got.logProbabilities, wanted.logProbabilities, 2 ** -18 * largest(wanted.logProbabilities));
      closeTo(t, got.dHidden, wanted.dHidden, unit * largest(wanted.dHidden));
      closeTo(t, got.dWeight, wanted.dWeight, unit * largest(wanted.dWeight));
    });

  test(`${device} linearCrossEntropy has the same bits each time`, async (t) => {
    const sizes = {tokens: 200, vocab: 515, features: 9, dtype: 'bfloat16'} as const;
    t.deepEqual(await compute(device, sizes), await compute(device, sizes));
  });
}

for (const device of testDevices)
  test(`${device} linearCrossEntropy gives the same loss without gradients`, async (t) => {
    // More than the 128 tokens of the emulator's chunk, and two tiles of the vocabulary.
    const [tokens, vocab, features] = [261, 131, 7];
    const inputs = [tokens, vocab].map((rows, seed) =>
      requireGradient(tensor(normalNumbers(rows * features, seed), {shape: [rows, features], device})),
    );
    const targets = tensor(wholeNumbers(tokens, vocab, 3), {dtype: 'int32', device});
    const compute = () => linearCrossEntropy(inputs[0]!, inputs[1]!, targets, {logProbabilities: true});
    const [whole, alone] = [compute(), noGrad(compute)];
    closeTo(t, [await alone.loss.item()], [await whole.loss.item()], 0);
    closeTo(t, await alone.logProbabilities.floats(), await whole.logProbabilities.floats(), 0);
  });
