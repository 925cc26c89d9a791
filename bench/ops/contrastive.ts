/**
 * The contrastive loss with its gradients: four products of 2 B² d operations each, one forward and three backward. The peer is the form
 * with all scores in memory, which needs three of them, from the ops that are not fused.
 */
import {backward, clearGradients, gradient, requireGradient} from '../../lib/autograd/index.js';
import {contrastiveWork, type ContrastiveSizes as Sizes} from '../../lib/bench/index.js';
import {
  add,
  contrastive,
  exp,
  log,
  matmul,
  mean,
  multiply,
  normal,
  reshape,
  rmsNorm,
  scale,
  subtract,
  sum,
} from '../../lib/ops/index.js';
import {full, type Tensor} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const temperature = 0.05;

const flopsOf = (sizes: Sizes): number => {
  const {forward, backward} = contrastiveWork(sizes);
  return forward.flops + backward.flops;
};

/** Scores and their gradient in float32: the least that any form with all scores in memory holds. */
const materializedBytesOf = ({pairs}: Sizes): number => 2 * 4 * pairs * pairs;

function titleOf({pairs, features, dtype}: Sizes): string {
  return `forward and backward [${pairs}, ${features}] ${dtype}`;
}

function inputs({pairs, features, dtype}: Sizes): readonly [x: Tensor, y: Tensor] {
  const side = (seed: number): Tensor => requireGradient(normal([pairs, features], {seed, dtype}));
  return [side(1), side(2)];
}

type Loss = (x: Tensor, y: Tensor) => Tensor;

const fused: Loss = (x, y) => contrastive(x, y, {temperature});

/** Logits are at most 1 / temperature = 20, so that no maximum need be subtracted. */
const materialized: Loss = (x, y) => {
  const [pairs = 0, features = 0] = x.shape;
  const oneOver = full([features], 1 / Math.sqrt(features));
  const [u, v] = [rmsNorm(x, oneOver, {eps: 1e-12}), rmsNorm(y, oneOver, {eps: 1e-12})];
  const shares = exp(scale(matmul(u, v, {transposeB: true}), 1 / temperature));
  const rows = log(sum(shares, {axis: 'last'}));
  const columns = log(reshape(matmul(full([1, pairs], 1), shares), [pairs]));
  const positives = scale(sum(multiply(u, v)), 1 / (temperature * pairs));
  return subtract(scale(add(mean(rows), mean(columns)), 0.5), positives);
};

function forwardAndBackward(loss: Loss, [x, y]: readonly [Tensor, Tensor]): void {
  clearGradients([x, y]);
  backward(loss(x, y));
}

function timed(sizes: Sizes): BenchCase {
  const sides = inputs(sizes);
  return {
    title: titleOf(sizes),
    ours: () => forwardAndBackward(fused, sides),
    flops: flopsOf(sizes),
    materializedBytes: materializedBytesOf(sizes),
  };
}

function besideMaterialized(sizes: Sizes): BenchCase {
  const sides = inputs(sizes);
  const gradientsOf = async (loss: Loss): Promise<readonly Tensor[]> => {
    forwardAndBackward(loss, sides);
    const found = sides.flatMap((side) => gradient(side) ?? []);
    return found.map((each) => scale(each, 1));
  };
  return {
    ...timed(sizes),
    peer: {name: 'all scores in memory', run: () => forwardAndBackward(materialized, sides)},
    async check() {
      await checkClose(fused(...sides), await materialized(...sides).floats(), 1e-5);
      const wanted = await gradientsOf(materialized);
      for (const [index, got] of (await gradientsOf(fused)).entries())
        await checkClose(got, (await wanted[index]?.floats()) ?? [], 1e-3);
    },
  };
}

await runBench({
  name: 'ops/contrastive',
  cases: [
    besideMaterialized({pairs: sized(256, 64), features: sized(384, 64), dtype: 'float32'}),
    besideMaterialized({pairs: sized(2048, 128), features: sized(512, 64), dtype: 'float32'}),
    timed({pairs: sized(2048, 128), features: sized(512, 64), dtype: 'bfloat16'}),
  ],
});
