/** linearCrossEntropy where the tokens do not fit in one chunk, and what it holds in memory. */
import test from 'ava';
import {backward, gradient, noGrad, requireGradient} from '../../lib/autograd/index.js';
import {linearCrossEntropy} from '../../lib/ops/index.js';
import {
  emptyCache,
  memory,
  resetPeakMemory,
  setThreads,
  synchronize,
  tensor,
  zeros,
  type FloatDType,
  type Tensor,
} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {closeTo, floatDTypes, onEachDevice, representable} from '../support/ops.js';

// 24 MiB hold the logits of 239 tokens at this vocabulary.
const vocab = 26_243;
const chunk = 239;

interface Results {
  readonly loss: number;
  readonly logProbabilities: Float32Array;
  readonly dHidden: Float32Array;
  readonly dWeight: Float32Array;
}

interface Inputs {
  readonly hidden: Tensor;
  readonly weight: Tensor;
  readonly targets: readonly number[];
  readonly weights: readonly number[];
}

function inputsOf(tokens: number, features: number, dtype: FloatDType): Inputs {
  const random = (rows: number, seed: number): Tensor =>
    tensor(representable(normalNumbers(rows * features, seed), dtype), {shape: [rows, features], dtype});
  return {
    hidden: random(tokens, 1),
    weight: random(vocab, 2),
    targets: wholeNumbers(tokens, vocab, 3),
    weights: normalNumbers(tokens, 4).map((value, t) => (t % 7 === 3 ? 0 : Math.abs(value))),
  };
}

async function compute({hidden, weight, targets, weights}: Inputs, normalizer: number): Promise<Results> {
  const leaves = [hidden, weight].map((each) => requireGradient(each.view(each.shape)));
  const [hiddenLeaf, weightLeaf] = leaves;
  const {loss, logProbabilities} = linearCrossEntropy(
    hiddenLeaf!,
    weightLeaf!,
    tensor([...targets], {dtype: 'int32'}),
    {weights: tensor([...weights]), normalizer, logProbabilities: true},
  );
  backward(loss);
  const [dHidden, dWeight] = leaves.map((leaf) => gradient(leaf)!);
  return {
    loss: await loss.item(),
    logProbabilities: await logProbabilities.floats(),
    dHidden: await dHidden!.floats(),
    dWeight: await dWeight!.floats(),
  };
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The order of sums over the vocabulary depends on the number of tokens; a rounding to the dtype may then go the other way. */
const sumOrder: Readonly<Record<FloatDType, number>> = {
  float32: 2 ** -20,
  bfloat16: 2 ** -7,
  float16: 2 ** -10,
};

// Around one chunk, and three: the sum over parts of less than a chunk is what the whole must give.
for (const dtype of floatDTypes)
  for (const tokens of [chunk - 1, chunk, chunk + 1, 2 * chunk + 5])
    test(`cpu ${dtype} linearCrossEntropy of ${tokens} tokens is the sum of its parts`, async (t) => {
      const features = 3;
      const all = inputsOf(tokens, features, dtype);
      const whole = await compute(all, tokens);
      const cuts = [0, 100, 200, 300, 400, tokens].filter((cut) => cut <= tokens);
      const sums = {loss: 0, dWeight: new Float64Array(vocab * features)};
      for (const [index, begin] of cuts.slice(0, -1).entries()) {
        const end = cuts[index + 1]!;
        const part = await compute(
          {
            hidden: all.hidden.rows(begin, end),
            weight: all.weight,
            targets: all.targets.slice(begin, end),
            weights: all.weights.slice(begin, end),
          },
          tokens,
        );
        sums.loss += part.loss;
        for (const [at, value] of part.dWeight.entries()) sums.dWeight[at]! += value;
        closeTo(t, whole.logProbabilities.slice(begin, end), part.logProbabilities, 0);
        closeTo(
          t,
          whole.dHidden.slice(begin * features, end * features),
          part.dHidden,
          sumOrder[dtype] * largest(whole.dHidden),
        );
      }
      closeTo(t, [whole.loss], [sums.loss], 2 ** -22 * sums.loss);
      closeTo(t, whole.dWeight, sums.dWeight, 2 ** -18 * largest(whole.dWeight));
    });

onEachDevice(
  floatDTypes,
  'linearCrossEntropy has the same bits for any number of threads',
  async (t, {dtype}) => {
    const inputs = inputsOf(chunk + 20, 5, dtype);
    const results: Results[] = [];
    for (const threads of [1, 2, 5]) {
      setThreads(threads);
      results.push(await compute(inputs, 1));
    }
    setThreads(2);
    for (const each of results.slice(1)) t.deepEqual(each, results[0]);
  },
);

test.serial('linearCrossEntropy holds a bounded part of the logits', async (t) => {
  const tokens = 2000;
  const features = 16;
  const {hidden, weight, targets} = inputsOf(tokens, features, 'float32');
  const ids = tensor([...targets], {dtype: 'int32'});
  // The results, and what linear-cross-entropy.h allows; the allocator rounds sizes up by an eighth at most.
  const results = 4 + 4 * features * (tokens + vocab);
  const bound = (results + 33 * 2 ** 20 + 12 * tokens + 8 * features * chunk) * 1.125;
  t.true(bound < (4 * tokens * vocab) / 3, 'the bound is far below the bytes of all logits');
  await synchronize();
  emptyCache();
  resetPeakMemory();
  const before = memory().allocatedBytes;
  const leaves = [hidden, weight].map(requireGradient);
  backward(linearCrossEntropy(leaves[0]!, leaves[1]!, ids).loss);
  await synchronize();
  const held = memory().peakBytes - before;
  t.true(held <= bound, `${held} bytes were held, more than ${bound}`);
});

test('linearCrossEntropy without recording computes no gradient', async (t) => {
  const hidden = requireGradient(zeros([4, 1000]));
  const weight = requireGradient(zeros([1000, 1000]));
  const targets = zeros([4], {dtype: 'int32'});
  await synchronize();
  const before = memory().allocatedBytes;
  const {loss} = noGrad(() => linearCrossEntropy(hidden, weight, targets));
  t.true(memory().allocatedBytes - before < 1000, 'only the loss is held');
  closeTo(t, [await loss.item()], [Math.log(1000)], 1e-6);
  t.throws(
    () => {
      backward(loss);
    },
    {code: 'ERR_AUTOGRAD'},
  );
});
