/** What lies at the edges of the contrastive loss: nothing to tell apart, extreme numbers, rows at any address, threads. */
import test from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {contrastive, reshape, sliceRows} from '../../lib/ops/index.js';
import {full, setThreads, tensor, zeros, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {closeTo, floatDTypes, onEachDevice} from '../support/ops.js';
import {leaf, lossAndGradients, zerosOf} from './contrastive-cases.js';

for (const options of [{}, {scope: 'both'}, {oneDirectional: true}, {margin: 0.5}] as const)
  onEachDevice(
    floatDTypes,
    `contrastive of one pair is 0 and has no gradient, ${JSON.stringify(options)}`,
    async (t, on) => {
      const leaves = [leaf([1, 5], on), leaf([1, 5], on, 2)] as const;
      const [loss, ...gradients] = await lossAndGradients(contrastive(...leaves, options), leaves);
      t.is(loss, 0);
      for (const each of gradients) t.deepEqual([...each], zerosOf(5));
    },
  );

onEachDevice(
  floatDTypes,
  'contrastive in which every negative is masked is 0 and has no gradient',
  async (t, on) => {
    const leaves = [
      leaf([40, 5], on),
      leaf([40, 5], on, 2),
      requireGradient(tensor(2, {device: on.device})),
    ] as const;
    const [x, y, temperature] = leaves;
    const groups = full([40], 7, {device: on.device, dtype: 'int32'});
    const [loss, ...gradients] = await lossAndGradients(
      contrastive(x, y, {groups, scope: 'both', temperature}),
      leaves,
    );
    t.is(loss, 0);
    for (const each of gradients) t.true(each.every((value) => value === 0));
  },
);

onEachDevice(
  floatDTypes,
  'contrastive with a threshold that leaves out every negative is 0 and has no gradient',
  async (t, on) => {
    const leaves = [leaf([40, 5], on), leaf([40, 5], on, 2)] as const;
    const [loss, ...gradients] = await lossAndGradients(contrastive(...leaves, {threshold: -3}), leaves);
    t.is(loss, 0);
    for (const each of gradients) t.true(each.every((value) => value === 0));
  },
);

onEachDevice(
  floatDTypes,
  'contrastive takes a row of zeros for one that resembles nothing, without gradient',
  async (t, on) => {
    const values = normalNumbers(3 * 4);
    const rows = tensor([...values.slice(0, 4), 0, 0, 0, 0, ...values.slice(8)], {shape: [3, 4], ...on});
    const leaves = [requireGradient(rows), leaf([3, 4], on, 2)] as const;
    const [loss, dx, dy] = await lossAndGradients(contrastive(...leaves, {temperature: 0.5}), leaves);
    t.true(Number.isFinite(loss) && dy!.every(Number.isFinite));
    t.true(dx!.subarray(4, 8).every((value) => value === 0));
    t.true(
      [...dx!.subarray(0, 4), ...dx!.subarray(8)].every((value) => Number.isFinite(value) && value !== 0),
    );
  },
);

onEachDevice(
  floatDTypes,
  'contrastive of nothing but zeros is the logarithm of the number of pairs',
  async (t, on) => {
    const leaves = [requireGradient(zeros([50, 3], on)), requireGradient(zeros([50, 3], on))] as const;
    const [loss, dx] = await lossAndGradients(contrastive(...leaves), leaves);
    closeTo(t, [loss], [Math.log(50)], 2 ** -20);
    t.deepEqual([...dx!], zerosOf(150));
  },
);

onEachDevice(
  ['float32'],
  'contrastive of rows without features is the logarithm of the number of pairs',
  async (t, on) => {
    const leaves = [requireGradient(zeros([50, 0], on)), requireGradient(zeros([50, 0], on))] as const;
    const [loss, dx] = await lossAndGradients(contrastive(...leaves), leaves);
    closeTo(t, [loss], [Math.log(50)], 2 ** -20);
    t.is(dx!.length, 0);
  },
);

// Squares of these leave the range of float32, and those of float16 its own.
for (const scale of [1e-30, 1e-10, 1e10, 1e30])
  onEachDevice(['float32', 'bfloat16'], `contrastive is the same for rows times ${scale}`, async (t, on) => {
    const of = (factor: number) =>
      [
        leaf([20, 5], {...on, dtype: 'float32'}, 1, factor),
        leaf([20, 5], {...on, dtype: 'float32'}, 2, factor),
      ] as const;
    const plain = of(1);
    const [wanted, wantedDx] = await lossAndGradients(contrastive(...plain), plain);
    const scaled = of(scale);
    const [got, dx] = await lossAndGradients(contrastive(...scaled), scaled);
    closeTo(t, [got], [wanted], 2 ** -18 * wanted);
    // du is the same, and dx = du / max(norm, 1e-12).
    const norm = (row: number): number => Math.hypot(...normalNumbers(100).slice(row * 5, row * 5 + 5));
    const factor = (index: number): number =>
      norm(Math.floor(index / 5)) / Math.max(norm(Math.floor(index / 5)) * scale, 1e-12);
    const expected = wantedDx!.map((value, index) => value * factor(index));
    closeTo(t, dx!, expected, 2 ** -15 * Math.max(...expected.map(Math.abs)));
  });

onEachDevice(
  floatDTypes,
  'contrastive stands temperatures at which e^(1 / tau) exceeds float32',
  async (t, on) => {
    for (const temperature of [0.01, 0.001, 1e-6]) {
      const leaves = [leaf([20, 5], on), leaf([20, 5], on, 2)] as const;
      const [loss, dx, dy] = await lossAndGradients(
        contrastive(...leaves, {temperature, scope: 'both'}),
        leaves,
      );
      t.true(Number.isFinite(loss) && loss > 1 / temperature / 10, `${temperature}: ${loss}`);
      t.true(dx!.every(Number.isFinite) && dy!.every(Number.isFinite));
    }
  },
);

onEachDevice(['float32'], 'contrastive tells a loss of 1e-30 from 0', async (t, on) => {
  const leaves = [requireGradient(tensor([[1, 0], [-1, 0]], on)), requireGradient(tensor([[1, 0], [-1, 0]], on))] as const; // prettier-ignore
  const [loss] = await lossAndGradients(contrastive(...leaves, {temperature: 2 / 69}), leaves);
  closeTo(t, [loss], [Math.exp(-69)], 1e-4 * Math.exp(-69));
});

onEachDevice(
  floatDTypes,
  'contrastive clamps theta where 1 / tau exceeds 100, and then theta has no gradient',
  async (t, on) => {
    const at = async (temperature: number | Tensor): Promise<number> =>
      contrastive(leaf([20, 5], on), leaf([20, 5], on, 2), {temperature}).item();
    const theta = requireGradient(tensor(Math.log(150), {device: on.device}));
    const x = leaf([20, 5], on);
    const [loss, dTheta] = await lossAndGradients(
      contrastive(x, leaf([20, 5], on, 2), {temperature: theta}),
      [theta],
    );
    t.is(loss, await at(0.01));
    t.deepEqual([...dTheta!], [0]);
    t.true((await gradient(x)!.floats()).some((value) => value !== 0));
  },
);

for (const value of [NaN, Infinity])
  onEachDevice(
    floatDTypes,
    `contrastive with ${value} in a row is NaN, as is its gradient`,
    async (t, on) => {
      const x = requireGradient(tensor([[1, 2], [value, 1], [3, 1]], on)); // prettier-ignore
      const [loss, dx] = await lossAndGradients(contrastive(x, leaf([3, 2], on)), [x]);
      t.is(loss, NaN);
      t.true(dx!.every(Number.isNaN));
      t.is(await contrastive(leaf([3, 2], on), x).item(), NaN);
      t.is(await contrastive(leaf([3, 2], on), leaf([3, 2], on), {negatives: x}).item(), NaN);
    },
  );

onEachDevice(
  ['float32'],
  'contrastive with no extra negatives in the tensor of them is as without',
  async (t, on) => {
    const [x, y] = [leaf([20, 5], on), leaf([20, 5], on, 2)];
    const negatives = requireGradient(zeros([0, 5], on));
    const loss = contrastive(x, y, {negatives});
    t.is(await loss.item(), await contrastive(x, y).item());
    backward(loss);
    t.deepEqual(gradient(negatives)!.shape, [0, 5]);
  },
);

onEachDevice(
  floatDTypes,
  'contrastive computes the same gradient whichever others are wanted',
  async (t, on) => {
    const make = () => ({
      x: leaf([40, 5], on),
      y: leaf([40, 5], on, 2),
      z: leaf([9, 5], on, 3),
      theta: leaf([], {device: on.device}, 4),
    });
    const run = (tensors: Readonly<Record<'x' | 'y' | 'z' | 'theta', Tensor>>): void =>
      backward(
        contrastive(tensors.x, tensors.y, {negatives: tensors.z, temperature: tensors.theta, scope: 'both'}),
      );
    const all = make();
    run(all);
    for (const name of ['x', 'y', 'z', 'theta'] as const) {
      const wanted = make()[name];
      const fixed = Object.fromEntries(
        Object.entries(make()).map(([key, each]) => [key, each.view(each.shape)]),
      );
      run({...all, ...fixed, [name]: wanted});
      t.deepEqual(await gradient(wanted)!.floats(), await gradient(all[name])!.floats(), name);
    }
  },
);

onEachDevice(
  floatDTypes,
  'contrastive gives the same bits wherever its rows begin in memory',
  async (t, on) => {
    // Whole packs of 16 bytes, and not.
    for (const features of [24, 25]) {
      const run = (start: number): Promise<readonly [number, ...Float32Array[]]> => {
        const rows = (pairs: number, seed: number): Tensor => {
          const values = [...zerosOf(start), ...normalNumbers(pairs * features, seed)];
          const held = sliceRows(tensor(values, on), start, values.length);
          return requireGradient(reshape(held, [pairs, features]));
        };
        const [x, y, negatives] = [rows(9, 1), rows(9, 2), rows(5, 3)];
        return lossAndGradients(contrastive(x, y, {negatives}), [x, y, negatives]);
      };
      t.deepEqual(await run(1), await run(0), `${features} features`);
    }
  },
);

test.serial('contrastive gives the same bits for any number of threads', async (t) => {
  const pairs = 300;
  const run = async (threads: number, dtype: FloatDType): Promise<readonly [number, ...Float32Array[]]> => {
    setThreads(threads);
    const leaves = [
      leaf([pairs, 9], {dtype}),
      leaf([pairs, 9], {dtype}, 2),
      leaf([77, 9], {dtype}, 3),
      leaf([], {}, 4),
    ] as const;
    const [x, y, negatives, temperature] = leaves;
    const groups = tensor(wholeNumbers(pairs, 200, 5), {dtype: 'int32'});
    return lossAndGradients(
      contrastive(x, y, {negatives, temperature, groups, scope: 'both', threshold: 0.2}),
      leaves,
    );
  };
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const alone = await run(1, dtype);
    t.deepEqual(await run(2, dtype), alone);
    t.deepEqual(await run(5, dtype), alone);
  }
  setThreads(2);
});
