/** Pairs whose group is below 0: the loss and its gradients are those of the call without them, whatever they hold. */
import test from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {conflictRatio, issuedFlops, movedBytes} from '../../lib/bench/roofline.js';
import type {KernelCounters} from '../../lib/kernel-counters.js';
import {native} from '../../lib/native.js';
import {contrastive} from '../../lib/ops/index.js';
import {full, synchronize, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, uniformNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  onEachDevice,
  representable,
  testDevices,
  type On,
} from '../support/ops.js';
import {opOptions, optionsOf, pairsOf, sidesOf, type Options, type Rows} from './contrastive-cases.js';
import {contrastiveLoss} from './contrastive-reference.js';

/** Whether each pair is there. */
type Presence = readonly boolean[];

const scattered = (pairs: number): Presence => {
  const uniform = uniformNumbers(pairs);
  return Array.from({length: pairs}, (_, pair) => pair === 1 || uniform() < 0.7);
};

const padded = (pairs: number, present: number): Presence =>
  Array.from({length: pairs}, (_, pair) => pair < present);

interface Case extends Rows {
  readonly features: number;
  readonly options: Options;
}

const unusable = [NaN, Infinity, -Infinity];

/** The case with absent pairs between those that are there, in whose rows and weights nothing can be computed with. */
function withAbsent({features, options, ...rows}: Case, presence: Presence): Case {
  const spread = <T>(values: readonly T[], absent: (pair: number) => T): T[] => {
    let next = 0;
    return presence.map((isPresent, pair) => (isPresent ? values[next++]! : absent(pair)));
  };
  const spreadRows = (values: readonly number[]): number[] => {
    const absent = (pair: number): number[] => Array<number>(features).fill(unusable[pair % 3]!);
    const indices = Array.from({length: values.length / features}, (_, row) => row);
    return spread(
      indices.map((row) => values.slice(row * features, (row + 1) * features)),
      absent,
    ).flat();
  };
  const groups = options.groups ?? Array.from({length: rows.x.length / features}, (_, pair) => pair);
  return {
    ...rows,
    features,
    x: spreadRows(rows.x),
    y: spreadRows(rows.y),
    options: {
      ...options,
      groups: spread(groups, (pair) => -1 - (pair % 3)),
      ...(options.weights && {weights: spread(options.weights, (pair) => unusable[pair % 3]!)}),
    },
  };
}

interface Result {
  readonly loss: Tensor;
  readonly dx: Float32Array;
  readonly dy: Float32Array;
  readonly dTheta: Float32Array;
  readonly dNegatives?: Float32Array;
}

async function resultOf({x, y, features, options: {negatives, ...options}}: Case, on: On): Promise<Result> {
  const leaf = (values: readonly number[]): Tensor =>
    requireGradient(tensor([...values], {shape: [values.length / features, features], ...on}));
  const leaves = {
    x: leaf(x),
    y: leaf(y),
    temperature: requireGradient(tensor(Math.log(1 / options.temperature), {device: on.device})),
    ...(negatives && {negatives: leaf(negatives)}),
  };
  const loss = contrastive(leaves.x, leaves.y, {...opOptions(options, features, on), ...leaves});
  backward(loss);
  const floats = (each: Tensor): Promise<Float32Array> => gradient(each)!.floats();
  return {
    loss,
    dx: await floats(leaves.x),
    dy: await floats(leaves.y),
    dTheta: await floats(leaves.temperature),
    ...(leaves.negatives && {dNegatives: await floats(leaves.negatives)}),
  };
}

/** All numbers of a result, to be compared by their bits. */
async function numbersOf({loss, ...gradients}: Result): Promise<unknown> {
  return {...gradients, loss: await loss.item()};
}

/** The rows of the pairs that are there, or of the others. */
function rowsWhere(values: Float32Array, features: number, presence: Presence, isPresent: boolean): number[] {
  return [...values].filter((_, index) => presence[Math.floor(index / features)] === isPresent);
}

// The order of float32 sums, and half a unit in the last place of the dtype twice.
const tolerance = {float32: 2 ** -15, bfloat16: 2 ** -7, float16: 2 ** -10} as const;

const countOf = (presence: Presence): number => presence.filter(Boolean).length;

// Tiles of 32 pairs on the CPU and 128 on CUDA, one of which may have no pair that is there, or only pairs that are.
const presences: Readonly<Record<string, Presence>> = {
  'here and there': scattered(150),
  'at the end of a tile': padded(32, 21),
  'in a whole tile at the end': padded(260, 130),
  'from the first on': padded(150, 40).toReversed(),
};

for (const [where, presence] of Object.entries(presences))
  onEachDevice(
    floatDTypes,
    `contrastive with absent pairs ${where} is that of the others, with gradients of 0`,
    async (t, on) => {
      t.timeout(600_000);
      const [pairs, features] = [countOf(presence), 5];
      const random = pairsOf(pairs, features, pairs);
      const [x, y] = [representable(random.x, on.dtype), representable(random.y, on.dtype)];
      full([2 ** 20], NaN, on).dispose(); // what workspaces may hold from before
      for (const [title, given] of Object.entries(optionsOf(pairs, features))) {
        t.log(title);
        const negatives = given.negatives && representable(given.negatives, on.dtype);
        const present: Case = {x, y, features, options: {...given, ...(negatives && {negatives})}};
        const all = withAbsent(present, presence);
        const {loss, dx, dy, dTheta, dNegatives} = await resultOf(all, on);
        const wanted = await resultOf(present, on);
        await asGoodAsPlain(t, loss, (round) => [
          contrastiveLoss(sidesOf({...all, z: negatives}, features), all.options, {round}),
        ]);
        const close = (got: ArrayLike<number>, from: Float32Array): void =>
          closeTo(t, got, from, tolerance[on.dtype] * Math.max(...from.map(Math.abs)));
        for (const side of ['dx', 'dy'] as const) {
          const got = {dx, dy}[side];
          t.true(rowsWhere(got, features, presence, false).every((value) => value === 0));
          close(rowsWhere(got, features, presence, true), wanted[side]);
        }
        // A sum of terms with both signs, which may cancel to a tenth.
        closeTo(t, dTheta, wanted.dTheta, 8 * tolerance[on.dtype] * Math.abs(wanted.dTheta[0]!));
        if (dNegatives) close(dNegatives, wanted.dNegatives!);
      }
    },
  );

for (const title of ['plain', 'positives', 'both', 'negatives', 'weights'] as const)
  onEachDevice(
    floatDTypes,
    `contrastive of absent pairs alone is 0 without gradients or errors: ${title}`,
    async (t, on) => {
      const options = optionsOf(40, 5)[title]!;
      const present = {
        x: [],
        y: [],
        features: 5,
        options: {...options, ...(options.weights && {weights: []}), groups: []},
      };
      const {loss, ...gradients} = await resultOf(withAbsent(present, padded(40, 0)), on);
      t.is(await loss.item(), 0);
      for (const each of Object.values(gradients)) t.true(each.every((value) => value === 0));
      await t.notThrowsAsync(synchronize(on.device));
    },
  );

// Tiles of 32 pairs on the CPU and of 128 on CUDA, the last of which padding fills: nothing is summed in another order.
onEachDevice(
  floatDTypes,
  'contrastive padded within its last tile gives the bits of the others',
  async (t, on) => {
    const features = 5;
    for (const [title, options] of Object.entries(optionsOf(40, features))) {
      const present = {...pairsOf(40, features, 12), features, options};
      const wanted = await resultOf(present, on);
      const got = await resultOf(withAbsent(present, padded(64, 40)), on);
      const ofPresent = (values: Float32Array): Float32Array => values.subarray(0, 40 * features);
      const ofPairs = {...got, dx: ofPresent(got.dx), dy: ofPresent(got.dy)};
      t.deepEqual(await numbersOf(ofPairs), await numbersOf(wanted), title);
    }
  },
);

if (testDevices.includes('simt')) {
  /** Counters of the kernels of both passes over 280 pairs. */
  const countersOf = (dtype: On['dtype'], options: Options): KernelCounters[] => {
    const [pairs, features] = [280, 72];
    const on = {device: 'simt', dtype} as const;
    const {x, y} = pairsOf(pairs, features, 1);
    const [rows, columns] = [x, y].map((each) =>
      requireGradient(tensor(each, {shape: [pairs, features], ...on})),
    );
    native.simtCounters(); // waits for what ran before
    native.simtProfile(true);
    backward(contrastive(rows!, columns!, opOptions(options, features, on)));
    const counters = native.simtCounters().filter(({kernel}) => kernel.startsWith('contrastive'));
    native.simtProfile(false);
    return counters;
  };

  // In turn, since the counters are those of the process.
  for (const dtype of floatDTypes)
    test.serial(
      `simt ${dtype} contrastive with absent pairs multiplies and moves no more than without`,
      (t) => {
        const groups = scattered(280).map((isPresent, pair) => (isPresent ? pair : -1));
        const without = countersOf(dtype, {temperature: 0.1});
        for (const groupMode of ['mask', 'positives', 'none'] as const) {
          const counters = countersOf(dtype, {temperature: 0.1, groups, groupMode});
          t.is(issuedFlops(counters), issuedFlops(without), groupMode);
          t.is(conflictRatio(counters), 1, groupMode);
          // What groups are read for is less than the rows of absent pairs, which are not.
          t.true(movedBytes(counters) <= movedBytes(without), groupMode);
        }
      },
    );

  for (const dtype of ['float32', 'bfloat16'] as const)
    test.serial(`simt ${dtype} contrastive with absent pairs gives the same bits in 8 orders`, async (t) => {
      const present = {
        ...pairsOf(100, 9, 3),
        features: 9,
        options: {temperature: 0.1, scope: 'both', negatives: normalNumbers(20 * 9, 8)},
      } as const;
      const run = async (): Promise<unknown> =>
        numbersOf(await resultOf(withAbsent(present, padded(140, 100)), {device: 'simt', dtype}));
      const plain = await run();
      try {
        for (let seed = 1; seed <= 8; seed++) {
          native.simtSeed(seed);
          t.deepEqual(await run(), plain, `seed ${seed}`);
        }
      } finally {
        native.simtSeed(0);
      }
    });
}
