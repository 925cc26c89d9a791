/** A tensor may begin at any element of its memory: no op may need more, and no bit of a result may depend on it. */
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {
  adamw,
  add,
  attention,
  cast,
  divide,
  gelu,
  globalNorm,
  logSoftmax,
  max,
  mean,
  multiply,
  reshape,
  sliceRows,
  softmax,
  sum,
  swiglu,
} from '../../lib/ops/index.js';
import {tensor, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {floatDTypes, onEachDevice, type On} from '../support/ops.js';

/** Makes the inputs of a case: tensors of normal numbers, all aligned, or all beginning one element later. */
type Make = (shape: readonly number[], seed: number, dtype?: FloatDType) => Tensor;

const makers = (on: On): readonly Make[] =>
  [0, 1].map((start) => (shape: readonly number[], seed: number, dtype = on.dtype) => {
    const size = shape.reduce((product, each) => product * each, 1);
    const values = [...Array.from({length: start}, () => NaN), ...normalNumbers(size, seed)];
    const memory = tensor(values, {device: on.device, dtype});
    return reshape(sliceRows(memory, start, start + size), shape);
  });

const gradientsOf = (leaves: readonly Tensor[], y: Tensor, dy: Tensor): Tensor[] => {
  backward(y, dy);
  return leaves.map((leaf) => gradient(leaf)!);
};

const leafOf = (x: Tensor): Tensor => requireGradient(x);

// Columns: whole packs of 4 and 8; none. Rows of both kinds of reductions: of a warp and of a block.
const shapes = [
  [9, 24],
  [9, 25],
  [2, 2056],
] as const;

const cases: Readonly<Record<string, (make: Make, shape: readonly [number, number]) => Tensor[]>> = {
  'elementwise ops': (make, shape) => [
    gelu(make(shape, 1)),
    add(make(shape, 1), make(shape, 2)),
    divide(make(shape, 1), make([shape[1]], 2)),
    multiply(make(shape, 1), 1 / 3),
    swiglu(make(shape, 1), make(shape, 2)),
    cast(make(shape, 1), 'float32'),
    cast(make(shape, 1), 'bfloat16'),
    cast(make(shape, 1), 'int32'),
  ],
  'gradients of elementwise ops': (make, shape) => {
    const results: Tensor[] = [];
    for (const shapeB of [shape, [shape[1]], []]) {
      const [a, b] = [leafOf(make(shape, 1)), leafOf(make(shapeB, 2))];
      results.push(...gradientsOf([a, b], divide(a, b), make(shape, 3)));
    }
    const [gate, up] = [leafOf(make(shape, 1)), leafOf(make(shape, 2))];
    results.push(...gradientsOf([gate, up], swiglu(gate, up), make(shape, 3)));
    const x = leafOf(make(shape, 1));
    return [...results, ...gradientsOf([x], gelu(x), make(shape, 3))];
  },
  reductions: (make, shape) =>
    ([sum, mean, max] as const).flatMap((op) => [op(make(shape, 1)), op(make(shape, 1), {axis: 'last'})]),
  'softmax and its gradients': (make, shape) =>
    [softmax, logSoftmax].flatMap((op) => {
      const x = leafOf(make(shape, 1));
      const y = op(x);
      return [y, ...gradientsOf([x], y, make(shape, 2))];
    }),
  'the optimiser': (make, shape) => {
    const parameters = [make(shape, 1)];
    const of32 = (seed: number): Tensor[] => [make(shape, seed, 'float32')];
    const isMaster = parameters[0]!.dtype !== 'float32';
    const masters = isMaster ? of32(1) : [undefined];
    const firstMoments = of32(2);
    const secondMoments = [cast(multiply(of32(3)[0]!, of32(3)[0]!), 'float32')];
    const gradients = of32(4);
    const gradientScale = globalNorm([...gradients, ...firstMoments]);
    const settings = {learningRate: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecays: [0.1], step: 2};
    adamw({parameters, masters, gradients, firstMoments, secondMoments, gradientScale, ...settings});
    return [...parameters, ...firstMoments, ...secondMoments, gradientScale];
  },
};

for (const [name, run] of Object.entries(cases))
  onEachDevice(floatDTypes, `${name} give the same bits wherever their inputs begin`, async (t, on) => {
    for (const shape of shapes) {
      const [aligned, later] = makers(on).map((make) => run(make, shape));
      for (const [index, each] of aligned!.entries())
        t.deepEqual(
          await later![index]!.data(),
          await each.data(),
          `result ${index} of [${shape.join(', ')}]`,
        );
    }
  });

const intsOn = (on: On, values: readonly number[]): Tensor =>
  tensor(Int32Array.from(values), {device: on.device});

// Heads of whole accesses of 16 bytes, of which those of 26 and of 2 are none. Segments of several tiles and of none; heads that share keys.
for (const headDim of [32, 26, 2])
  onEachDevice(
    floatDTypes,
    `attention of headDim ${headDim} gives the same bits wherever its inputs begin`,
    async (t, on) => {
      const segmentStarts = intsOn(on, [0, 3, 3, 70]);
      const [aligned, later] = makers(on).map((make) => {
        const leaves = [
          leafOf(make([70, 4, headDim], 1)),
          leafOf(make([70, 2, headDim], 2)),
          leafOf(make([70, 2, headDim], 3)),
          leafOf(make([4], 4, 'float32')),
        ] as const;
        const [q, k, v, sinks] = leaves;
        const out = attention(q, k, v, {segmentStarts, sinks, softcap: 5});
        return {out, gradients: gradientsOf(leaves, out, make([70, 4, headDim], 5))};
      });
      t.deepEqual(await later!.out.data(), await aligned!.out.data());
      for (const [index, each] of aligned!.gradients.entries())
        t.deepEqual(await later!.gradients[index]!.data(), await each.data(), `gradient ${index}`);
    },
  );

onEachDevice(
  floatDTypes,
  'attention of one query on keys that blocks share gives the same bits wherever they begin',
  async (t, on) => {
    const [aligned, later] = makers(on).map((make) =>
      attention(make([1, 2, 32], 1), make([520, 2, 32], 2), make([520, 2, 32], 3), {
        segmentStarts: intsOn(on, [0, 1]),
        keyStarts: intsOn(on, [0, 520]),
      }),
    );
    t.deepEqual(await later!.data(), await aligned!.data());
  },
);
