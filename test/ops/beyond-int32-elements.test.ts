/** Ops whose elements or rows keep to themselves: the last rows of tensors of more than 2^31 elements. */
import {requireGradient} from '../../lib/autograd/index.js';
import {native} from '../../lib/native.js';
import {
  adamw,
  add,
  cast,
  divide,
  gelu,
  globalNorm,
  logSoftmax,
  max,
  mean,
  multiply,
  rmsNorm,
  rmsNormResidual,
  rotary,
  sliceRows,
  softmax,
  sum,
  swiglu,
  uniform,
} from '../../lib/ops/index.js';
import {full, type Tensor} from '../../lib/tensor/index.js';
import {
  beyondInt32,
  device,
  known,
  made,
  orElseNothing,
  small,
  withGradients,
} from '../support/beyond-int32.js';
import {normalNumbers} from '../support/numbers.js';
import {wordOf} from '../support/philox.js';

/** Of a matrix: a block of most kernels has one row. */
const features = 2048;
const row = [features];

/** A weight or the like. */
function leaf(shape: readonly number[], seed: number, dtype?: 'float32'): Tensor {
  return requireGradient(small(shape, seed, dtype));
}

// ---- elementwise

beyondInt32('gelu and its gradient', (at) => {
  const x = at.leaf(row, 1);
  return withGradients(gelu(x), at.normal(row, 2), [x]);
});

beyondInt32('multiply and its gradients', (at) => {
  const [a, b] = [at.leaf(row, 1), at.leaf(row, 2)];
  return withGradients(multiply(a, b), at.normal(row, 3), [a, b]);
});

// The gradient of a repeated operand is a sum over 512 ranges of rows, of which a block has one; then a block has 32 features.
beyondInt32(
  'multiply by a row and its gradients',
  (at) => {
    const [a, b] = [at.leaf(row, 1), leaf([features], 2)];
    return withGradients(multiply(a, b), at.normal(row, 3), [a, b]);
  },
  {blocks: 3, compared: 96},
);

// The 1024 blocks of the backward pass go over the elements in strides, so that the last rows are in the first of them.
beyondInt32(
  'divide by a scalar and its gradients',
  (at) => {
    const [a, b] = [at.leaf(row, 1), leaf([], 2, 'float32')];
    return withGradients(divide(a, b), at.normal(row, 3), [a, b]);
  },
  {blocks: 3},
);

beyondInt32('accumulate', (at) => {
  const [into, from] = [at.normal(row, 1, 'float32'), at.normal(row, 2)];
  native.accumulate(into.native, from.native);
  return [into];
});

beyondInt32('fill', (at) => [full([at.rows(features), features], 3, {device, dtype: 'bfloat16'})]);

beyondInt32('cast and its gradient', (at) => {
  const x = at.leaf(row, 1);
  return withGradients(cast(x, 'float32'), at.normal(row, 2, 'float32'), [x]);
});

// One element to a thread and access: 2 blocks have a row of 512.
beyondInt32('cast to and from integers', (at) => {
  const x = at.tensor([512], normalNumbers(known * 512, 1, 100), 'bfloat16');
  return [cast(cast(x, 'int32'), 'bfloat16')];
});

// Two packs beyond the boundary, and three elements alone.
beyondInt32('uniform', (at) => {
  const [size, count] = [2 ** 31 + 11, 11];
  const uniformAt = (index: number): number => (wordOf(index, 3, 5) >>> 8) / 2 ** 24;
  const wanted = Array.from({length: count}, (_, index) => uniformAt(size - count + index));
  return [
    at.pick(
      () => uniform([size], {seed: 3, offset: 5, device}),
      () => made(wanted, [count], 'float32'),
    )(),
  ];
});

beyondInt32('swiglu and its gradients', (at) => {
  const [gate, up] = [at.leaf(row, 1), at.leaf(row, 2)];
  return withGradients(swiglu(gate, up), at.normal(row, 3), [gate, up]);
});

beyondInt32('sliceRows, copyFrom and the gradient of a slice', (at) => {
  const x = at.leaf(row, 1);
  const rows = at.rows(features);
  return withGradients(sliceRows(x, rows - 2, rows), small([2, features], 2), [x]);
});

// ---- rows

for (const [name, reduce] of Object.entries({sum, mean, max}))
  for (const axis of [515, features, 2 * features])
    beyondInt32(`${name} of rows of ${axis} and its gradient`, (at) => {
      const x = at.leaf([axis], 1);
      const dy = at.ending(
        at.rows(axis),
        [],
        normalNumbers(known, 2),
        name === 'max' ? 'bfloat16' : 'float32',
      );
      return withGradients(reduce(x, {axis: 'last'}), dy, [x]);
    });

// 1024 blocks share the elements, of which the last one has the last.
for (const [name, reduce] of Object.entries({sum, max}))
  beyondInt32(
    `${name} of all elements and its gradient`,
    (at) => {
      const x = at.leaf(row, 1);
      return withGradients(reduce(x), small([], 2, name === 'max' ? 'bfloat16' : 'float32'), [x]);
    },
    {blocks: 3},
  );

// A warp has a row, by packs and by elements, then a block.
for (const axis of [512, 515, features])
  for (const [name, op] of Object.entries({softmax, logSoftmax}))
    beyondInt32(`${name} of rows of ${axis} and its gradient`, (at) => {
      const x = at.leaf([axis], 1);
      return withGradients(op(x), at.normal([axis], 2), [x]);
    });

// A block adds up 32 features of the gradient of the weight.
for (const axis of [512, features]) {
  const lastBlocks = {compared: 8 * 32};
  beyondInt32(
    `rmsNorm of rows of ${axis} and its gradients`,
    (at) => {
      const [x, weight] = [at.leaf([axis], 1), leaf([axis], 2)];
      return withGradients(rmsNorm(x, weight), at.normal([axis], 3), [x, weight]);
    },
    lastBlocks,
  );

  beyondInt32(
    `rmsNormResidual of rows of ${axis} and its gradients`,
    (at) => {
      const [x, residual, weight] = [at.leaf([axis], 1), at.leaf([axis], 2), leaf([axis], 3)];
      const {y, sum} = rmsNormResidual(x, residual, weight);
      return [sum, ...withGradients(add(y, sum), at.normal([axis], 4), [x, residual, weight])];
    },
    lastBlocks,
  );
}

beyondInt32('rotary and its gradient', (at) => {
  const heads = [16, 128];
  const x = at.leaf(heads, 1);
  const positions = at.ending(at.rows(features), [], [0, 1, 5], 'int32');
  return withGradients(rotary(x, positions, small([64], 2, 'float32')), at.normal(heads, 3), [x]);
});

// ---- the optimiser

beyondInt32('globalNorm', (at) => [globalNorm([at.normal(row, 1, 'float32')])]);

beyondInt32('adamw', (at) => {
  const parameter = at.normal(row, 1);
  const [master, gradient, first, second] = [1, 2, 3, 4].map((seed) => at.normal(row, seed, 'float32'));
  const squares = multiply(second!, second!);
  adamw({
    parameters: [parameter],
    masters: [master],
    gradients: [gradient!],
    firstMoments: [first!],
    secondMoments: [squares],
    learningRate: 0.1,
    beta1: 0.9,
    beta2: 0.99,
    eps: 1e-8,
    weightDecays: [0.1],
    step: 1,
  });
  return [parameter, master!, first!, squares];
});

orElseNothing();
