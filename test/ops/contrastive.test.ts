/** The loss and its gradients against the definition in float64, for every option and combination of options. */
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {contrastive} from '../../lib/ops/index.js';
import {tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, uniformNumbers, wholeNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  onEachDevice,
  representable,
  testDevices,
  type On,
} from '../support/ops.js';
import {
  matchesFiniteDifferences,
  opOptions,
  optionsOf,
  pairsOf,
  sidesOf,
  type Options,
} from './contrastive-cases.js';
import {contrastiveLoss, rowsOf} from './contrastive-reference.js';

// Vectors of 16 scores and tiles of 32 pairs (64 from 257 pairs on): less one, exactly, plus one; one pair; one feature, and more
// features than are summed at a time (512).
const shapes = [[1, 4], [2, 1], [9, 513], [15, 3], [16, 16], [17, 15], [31, 17], [32, 8], [33, 5], [127, 4], [128, 3], [129, 7], [257, 3]] as const; // prettier-ignore

for (const shape of shapes)
  onEachDevice(
    floatDTypes,
    `contrastive [${shape.join(', ')}] is its definition under every option`,
    async (t, on) => {
      const [pairs, features] = shape;
      const random = pairsOf(pairs, features, pairs);
      const [x, y] = [representable(random.x, on.dtype), representable(random.y, on.dtype)];
      for (const [name, given] of Object.entries(optionsOf(pairs, features))) {
        const z = given.negatives && representable(given.negatives, on.dtype);
        const options = opOptions({...given, ...(z && {negatives: z})}, features, on);
        const loss = contrastive(tensor(x, {shape, ...on}), tensor(y, {shape, ...on}), options);
        t.deepEqual([loss.dtype, loss.shape], ['float32', []], name);
        await asGoodAsPlain(t, loss, (round) => [
          contrastiveLoss(sidesOf({x, y, z}, features), given, {round}),
        ]);
      }
    },
  );

// CUDA keeps partial results of one panel of rows at a time: 896 rows of 1100 columns on the emulated multiprocessors. Not a whole
// number of tiles of 128, nor of panels.
onEachDevice(['float32'], 'contrastive over several panels of rows is its definition', async (t, on) => {
  const [pairs, features] = [1100, 4];
  const random = pairsOf(pairs, features, 3);
  const [x, y, z] = [random.x, random.y, normalNumbers(200 * features, 8)].map((each) =>
    representable(each, on.dtype),
  ) as [number[], number[], number[]];
  const groups = wholeNumbers(pairs, pairs / 3, 6);
  const given = {temperature: 0.1, margin: 0.1, threshold: 0.05, scope: 'both', groups, groupMode: 'positives'} as const; // prettier-ignore
  const shape = [pairs, features];
  const loss = contrastive(
    tensor(x, {shape, ...on}),
    tensor(y, {shape, ...on}),
    opOptions({...given, negatives: z}, features, on),
  );
  await asGoodAsPlain(t, loss, (round) => [contrastiveLoss(sidesOf({x, y, z}, features), given, {round})]);
});

/** Of x, y, the temperature and negatives, where the options have some; `random` gives their numbers. */
async function gradientsOf(
  on: On,
  {features, negatives, ...options}: Options & {readonly features: number},
  random: (values: readonly number[]) => number[],
): Promise<readonly Float32Array[]> {
  const leaf = (values: readonly number[]): Tensor =>
    requireGradient(tensor(random(values), {shape: [values.length / features, features], ...on}));
  const {x, y} = pairsOf(300, features, 12);
  const leaves = {
    x: leaf(x),
    y: leaf(y),
    temperature: requireGradient(tensor(Math.log(1 / options.temperature), {device: on.device})),
    ...(negatives && {negatives: leaf(normalNumbers(300 * features, 8))}),
  };
  backward(contrastive(leaves.x, leaves.y, {...opOptions(options, features, on), ...leaves}));
  return Promise.all(Object.values(leaves).map((each) => gradient(each)!.floats()));
}

async function gradientsAgree(
  t: ExecutionContext,
  on: On,
  options: Options & {readonly features: number},
  tolerance: number,
): Promise<void> {
  const random = (values: readonly number[]): number[] => representable([...values], on.dtype);
  const wanted = await gradientsOf({device: 'cpu', dtype: 'float32'}, options, random);
  for (const [index, got] of (await gradientsOf(on, options, random)).entries())
    closeTo(t, got, wanted[index]!, tolerance * largest(wanted[index]!));
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

// Panels of gradients are 256 rows and columns of 129 features on the emulated multiprocessors.
for (const device of testDevices.filter((each) => each !== 'cpu'))
  for (const [title, options] of Object.entries(optionsOf(300, 129)))
    test(`${device} float32 contrastive over several panels of gradients agrees with the CPU: ${title}`, (t) =>
      gradientsAgree(t, {device, dtype: 'float32'}, {...options, features: 129}, 2 ** -15));

// Of bfloat16 the gradients of logits are rounded before they are multiplied; 600 features are two passes over a tile.
for (const [title, options] of Object.entries(optionsOf(300, 600)))
  test(`cpu bfloat16 contrastive over several tiles has gradients near those of float32: ${title}`, (t) =>
    gradientsAgree(t, {device: 'cpu', dtype: 'bfloat16'}, {...options, features: 600}, 2 ** -7));

interface Choice {
  readonly title: string;
  readonly options: Partial<Options>;
}

/** All combinations of one choice from each list. */
function combinations(lists: Readonly<Record<string, readonly Partial<Options>[]>>): readonly Choice[] {
  const choosing = (before: Choice, name: string, choices: readonly Partial<Options>[]): Choice[] =>
    choices.map((choice, index) => ({
      title: `${before.title} ${name}=${index}`,
      options: {...before.options, ...choice},
    }));
  return Object.entries(lists).reduce<readonly Choice[]>(
    (all, [name, choices]) => all.flatMap((before) => choosing(before, name, choices)),
    [{title: '', options: {}}],
  );
}

const everyOption = combinations({
  margin: [{}, {margin: 0.2}],
  groups: [
    {},
    {groups: [4, 1, 4, 0, 1, 4], groupMode: 'mask'},
    {groups: [4, 1, 4, 0, 1, 4], groupMode: 'positives'},
    {groups: [4, -1, 4, 0, -7, 4], groupMode: 'mask'},
    {groups: [4, -1, 4, 0, -7, 4], groupMode: 'positives'},
    {groups: [4, -1, 4, 0, -7, 4], groupMode: 'none'},
  ],
  scope: [{}, {scope: 'both'}],
  threshold: [{}, {threshold: 0.03}],
  negatives: [{}, {negatives: normalNumbers(4 * 3, 9)}],
  weights: [{}, {weights: [1, 0, 2, 0.5, 1, 3]}],
  direction: [{}, {oneDirectional: true}],
});

onEachDevice(
  ['float32'],
  'contrastive has the gradients of its definition under every combination of options',
  async (t, on) => {
    t.timeout(600_000);
    t.is(everyOption.length, 384);
    for (const {title, options} of everyOption) {
      t.log(title);
      const pairs = pairsOf(6, 3, 3);
      await matchesFiniteDifferences(t, on, {...pairs, features: 3, options: {...options, temperature: 0.2}});
    }
  },
);

// Two tiles a side, the second with 3 pairs: what one tile adds must not be lost or doubled by another.
for (const [title, options] of Object.entries(optionsOf(35, 4)))
  onEachDevice(
    ['float32'],
    `contrastive over several tiles has the gradients of its definition: ${title}`,
    (t, on) => matchesFiniteDifferences(t, on, {...pairsOf(35, 4, 12), features: 4, options}),
  );

onEachDevice(['bfloat16', 'float16'], 'contrastive has the gradients of its definition', async (t, on) => {
  for (const options of Object.values(optionsOf(11, 4)))
    await matchesFiniteDifferences(t, on, {...pairsOf(11, 4, 12), features: 4, options});
});

/** NT-Xent over the stacked rows: Chen et al. 2020, arXiv:2002.05709, equation 1. */
function ntXent(x: readonly number[][], y: readonly number[][], tau: number): number {
  const rows = [...x, ...y];
  const cosine = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, d) => sum + value * b[d]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
  const losses = rows.map((row, i) => {
    const others = rows.filter((_, k) => k !== i).map((other) => Math.exp(cosine(row, other) / tau));
    const positive = rows[(i + x.length) % rows.length]!;
    return -Math.log(Math.exp(cosine(row, positive) / tau) / others.reduce((sum, value) => sum + value, 0));
  });
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

onEachDevice(['float32'], 'contrastive with scope both is NT-Xent over the stacked rows', async (t, on) => {
  const {x, y} = pairsOf(40, 6, 4);
  const [rows, columns] = [representable(x, 'float32'), representable(y, 'float32')];
  const shape = [40, 6];
  const loss = contrastive(tensor(rows, {shape, ...on}), tensor(columns, {shape, ...on}), {
    scope: 'both',
    temperature: 0.1,
  });
  const wanted = ntXent(rowsOf(rows, 6), rowsOf(columns, 6), 0.1);
  closeTo(t, [await loss.item()], [wanted], 2 ** -20 * wanted);
});

test('contrastive does not depend on the order of pairs, on the lengths of rows, or on which side is which', async (t) => {
  const input = fc.record({
    pairs: fc.integer({min: 1, max: 40}),
    features: fc.integer({min: 1, max: 9}),
    seed: fc.nat(1000),
    scope: fc.constantFrom('cross', 'both'),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({pairs, features, seed, scope}) => {
      const {x, y} = pairsOf(pairs, features, seed);
      const uniform = uniformNumbers(seed);
      const order = Array.from({length: pairs}, (_, pair) => ({pair, key: uniform()})).sort(
        (a, b) => a.key - b.key,
      );
      const shuffled = (values: number[]): Tensor =>
        tensor(order.map(({pair, key}) => rowsOf(values, features)[pair]!.map((value) => value * (1 + key))));
      const loss = (a: Tensor, b: Tensor): Promise<number> =>
        contrastive(a, b, {scope, temperature: 0.1}).item();
      const wanted = await loss(tensor(rowsOf(x, features)), tensor(rowsOf(y, features)));
      closeTo(t, [await loss(shuffled(y), shuffled(x))], [wanted], 2 ** -18 * (wanted + 1));
    }),
    {seed: 2, numRuns: 40},
  );
});
