/** What lies at the edges of the contrastive loss: nothing to tell apart, extreme numbers, bad input, threads and memory. */
import test, {type ExecutionContext} from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {contrastive, reshape, sliceRows, type ContrastiveOptions} from '../../lib/ops/index.js';
import {
  full,
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
import {closeTo, floatDTypes, onEachDevice, testDevices, type On} from '../support/ops.js';

/** A leaf of normal numbers. */
function leaf(shape: readonly number[], on: Partial<On>, seed = 1, scale = 1): Tensor {
  const size = shape.reduce((product, each) => product * each, 1);
  return requireGradient(tensor(normalNumbers(size, seed, scale), {shape, ...on}));
}

/** The loss, and its gradients of the leaves. */
async function lossAndGradients(
  loss: Tensor,
  leaves: readonly Tensor[],
): Promise<readonly [number, ...Float32Array[]]> {
  backward(loss);
  return [await loss.item(), ...(await Promise.all(leaves.map((each) => gradient(each)!.floats())))];
}

const zerosOf = (length: number): number[] => Array<number>(length).fill(0);

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

for (const [title, weights, groups] of [
  ['all 0', [0, 0, 0]],
  ['all 0 but of absent pairs', [0, 2, 0], [0, -1, 1]],
  ['negative', [1, -1, 2]],
  ['NaN', [1, NaN, 1]],
  ['infinite', [1, 1, Infinity]],
] as const)
  onEachDevice(
    ['float32', 'bfloat16'],
    `contrastive reports weights that are ${title}, and gives zeros`,
    async (t, on) => {
      const leaves = [leaf([3, 5], on), leaf([3, 5], on, 2)] as const;
      const loss = contrastive(...leaves, {
        weights: tensor([...weights], {device: on.device}),
        ...(groups && {groups: tensor([...groups], {device: on.device, dtype: 'int32'})}),
      });
      backward(loss);
      await t.throwsAsync(synchronize(on.device), {
        code: 'ERR_ARGUMENT',
        message: 'contrastive: weights must be finite, 0 or more, and not all 0',
      });
      t.is(await loss.item(), 0);
      for (const each of leaves) t.deepEqual([...(await gradient(each)!.floats())], zerosOf(15));
    },
  );

onEachDevice(['float32'], 'contrastive refuses what does not fit, by name', (t, on) => {
  const [x, y] = [zeros([3, 2], on), zeros([3, 2], on)];
  const int32 = (shape: readonly number[]): Tensor => zeros(shape, {device: on.device, dtype: 'int32'});
  const half = {...on, dtype: 'float16'} satisfies On;
  const refused = (
    rows: Tensor,
    columns: Tensor,
    options: ContrastiveOptions,
    code: string,
    message: string,
  ): void => {
    t.throws(() => contrastive(rows, columns, options), {code, message: `contrastive: ${message}`});
  };
  refused(zeros([3], on), y, {}, 'ERR_SHAPE', 'x must have 2 axes; got [3]');
  refused(
    zeros([0, 2], on),
    zeros([0, 2], on),
    {},
    'ERR_SHAPE',
    'x must be [pairs, features] with at least 1 pair; got [0, 2]',
  );
  refused(int32([3, 2]), y, {}, 'ERR_DTYPE', 'x must be float32, bfloat16 or float16; got int32');
  refused(x, zeros([4, 2], on), {}, 'ERR_SHAPE', 'y must be [3, 2] to match x [3, 2]; got [4, 2]');
  refused(x, zeros([3, 2], half), {}, 'ERR_DTYPE', 'y must be float32 to match x; got float16');
  refused(x, y, {temperature: 0}, 'ERR_ARGUMENT', 'temperature must be a number above 0; got 0');
  refused(x, y, {temperature: NaN}, 'ERR_ARGUMENT', 'temperature must be a number above 0; got NaN');
  refused(
    x,
    y,
    {temperature: 1e-39},
    'ERR_ARGUMENT',
    'temperature must be large enough that 1 / temperature is a float32; got 1e-39',
  );
  refused(x, y, {temperature: zeros([1], on)}, 'ERR_SHAPE', 'temperature must be []; got [1]');
  refused(x, y, {temperature: zeros([], half)}, 'ERR_DTYPE', 'temperature must be float32; got float16');
  refused(x, y, {margin: Infinity}, 'ERR_ARGUMENT', 'margin must be a finite number; got Infinity');
  refused(x, y, {threshold: NaN}, 'ERR_ARGUMENT', 'threshold must be a finite number; got NaN');
  refused(x, y, {groups: int32([2])}, 'ERR_SHAPE', 'groups must be [3] to match x [3, 2]; got [2]');
  refused(x, y, {groups: zeros([3], on)}, 'ERR_DTYPE', 'groups must be int32; got float32');
  refused(x, y, {weights: zeros([4], on)}, 'ERR_SHAPE', 'weights must be [3] to match x [3, 2]; got [4]');
  refused(x, y, {weights: zeros([3], half)}, 'ERR_DTYPE', 'weights must be float32; got float16');
  refused(x, y, {negatives: zeros([2], on)}, 'ERR_SHAPE', 'negatives must have 2 axes; got [2]');
  refused(
    x,
    y,
    {negatives: zeros([5, 3], on)},
    'ERR_SHAPE',
    'negatives must be [5, 2] to match x [3, 2]; got [5, 3]',
  );
  refused(
    x,
    y,
    {negatives: zeros([5, 2], half)},
    'ERR_DTYPE',
    'negatives must be float32 to match x; got float16',
  );
  const groupMode = 'all' as 'mask';
  refused(
    x,
    y,
    {groupMode},
    'ERR_ARGUMENT',
    "argument 3.groupMode must be one of mask, positives, none; got 'all'",
  );
  const scope = 'own' as 'both';
  refused(x, y, {scope}, 'ERR_ARGUMENT', "argument 3.scope must be one of cross, both; got 'own'");
});

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

/** Bytes that an op may take at most beside gradients, by its contract. */
interface Bounds {
  readonly pairs: number;
  readonly features: number;
  readonly forward: number;
  readonly backward: number;
}

function cpuBounds(dtype: FloatDType): Bounds {
  const [pairs, features, threads, tile] = [4096, 32, 2, 512];
  setThreads(threads);
  // Packed operands are up to a hundredth larger than they are.
  const work = 1.01 * 4 * (threads * (tile * (tile + 2 * features) + tile * 2 * tile) + 15 * pairs);
  const sums = dtype === 'float32' ? 0 : 2 * pairs * features * 4;
  return {pairs, features, forward: work, backward: work + sums};
}

/** Of the emulator, with its 4 multiprocessors; fewer pairs, which it computes in seconds. */
function simtBounds(dtype: FloatDType): Bounds {
  const [pairs, features, multiprocessors] = [1280, 8, 4];
  const copies = 2 * pairs * features * (dtype === 'float32' ? 4 : 2);
  const partials = 16 * multiprocessors * 128 * 16;
  const small = 1024;
  const panel = 512 ** 2 * (dtype === 'float32' ? 4 : 2);
  return {
    pairs,
    features,
    forward: copies + 4 * 7 * pairs + partials + small,
    backward: copies + panel + 2 * pairs * features * 4 + small,
  };
}

for (const device of testDevices.filter((each) => each !== 'cuda'))
  for (const dtype of ['float32', 'bfloat16'] as const)
    test.serial(
      `${device} ${dtype} contrastive holds no matrix of scores: the bound of its contract`,
      async (t) => {
        const {pairs, features, ...bounds} = device === 'cpu' ? cpuBounds(dtype) : simtBounds(dtype);
        const on = {device, dtype};
        const leaves = [leaf([pairs, features], on), leaf([pairs, features], on, 2)] as const;
        await synchronize(device);
        const peakOf = async (run: () => void): Promise<number> => {
          resetPeakMemory(device);
          const {allocatedBytes} = memory(device);
          run();
          await synchronize(device);
          return memory(device).peakBytes - allocatedBytes;
        };
        // The allocator rounds a size up by at most an eighth.
        const rounded = 9 / 8;
        let loss: Tensor | undefined;
        const forward = await peakOf(() => (loss = contrastive(...leaves)));
        assertWithin(t, forward, rounded * bounds.forward);
        const gradients = 2 * pairs * features * (dtype === 'float32' ? 4 : 2);
        // Leaves keep their gradients in float32: those of bfloat16 are converted one after the other.
        const leafGradients = dtype === 'float32' ? 0 : 2 * pairs * features * 4;
        const backwards = await peakOf(() => backward(loss!));
        assertWithin(t, backwards, rounded * (bounds.backward + gradients + leafGradients));
        t.true(Math.max(forward, backwards) < (pairs * pairs * 4) / 4, 'far below one matrix of scores');
      },
    );

function assertWithin(t: ExecutionContext, bytes: number, bound: number): void {
  t.true(bytes <= bound, `${bytes} bytes are more than ${bound}`);
}
