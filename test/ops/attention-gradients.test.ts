/** Gradients of attention against finite differences of its equations. */
import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {setThreads, tensor, type Device, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {closeTo, floatDTypes, gradientsMatch, onEachDevice, sumFloor, testDevices} from '../support/ops.js';
import {drawnCase, inputsOf, reference, run, tensorsOf, type Case} from './attention-reference.js';

const small: Readonly<Record<string, Case>> = {
  'one token': {queries: [1], heads: 2, sinks: [0, 1]},
  'a causal mask': {queries: [17, 5], heads: 2, headDim: 8},
  'no mask': {queries: [9, 4], mask: 'none'},
  'segments without tokens': {queries: [0, 3, 0, 6, 0]},
  'a window': {queries: [20], window: 6},
  'a window without a mask': {queries: [20], mask: 'none', window: 5},
  'a prefix': {queries: [20, 9], prefixLengths: [7, 9]},
  'a prefix and a window': {queries: [20], prefixLengths: [4], window: 3},
  'shared key heads': {queries: [9, 8], heads: 6, kvHeads: 2, headDim: 4},
  'a scale': {queries: [12], scale: 0.9},
  'a softcap': {queries: [12], softcap: 1.5},
  sinks: {queries: [12, 3], heads: 3, sinks: [-1, 0.5, 2]},
  'more keys than queries': {queries: [3, 1, 7], keys: [20, 9, 7], heads: 2},
  'more queries than keys': {queries: [9, 3], keys: [4, 0], heads: 2, sinks: [0, 1]},
  'everything at once': {
    queries: [10, 0, 7],
    keys: [15, 4, 7],
    heads: 4,
    kvHeads: 2,
    headDim: 6,
    window: 5,
    prefixLengths: [3, 2, 7],
    scale: 0.5,
    softcap: 3,
    sinks: [-2, 0, 1, 4],
  },
};

// On both sides of the edges of tiles of 64 rows and 64 keys; wide heads.
const large: Readonly<Record<string, Case>> = {
  '63 tokens': {queries: [63], headDim: 4},
  '64 tokens': {queries: [64], headDim: 4},
  '65 tokens': {queries: [65], headDim: 4},
  '129 tokens': {queries: [129], headDim: 2},
  'a window over tiles': {queries: [150], headDim: 2, window: 70},
  'a prefix over tiles and a window': {queries: [180], headDim: 2, prefixLengths: [70], window: 9},
  'shared key heads over tiles': {queries: [40, 30], heads: 4, kvHeads: 1, headDim: 4},
  'headDim 64': {queries: [9], headDim: 64},
  'headDim 80': {queries: [9], headDim: 80},
  'headDim 256': {queries: [5], headDim: 256},
};

const check = (dtypes: readonly FloatDType[], title: string, c: Case): void =>
  onEachDevice(dtypes, `gradients of attention match its equations: ${title}`, async (t, on) => {
    await gradientsMatch(t, on, {
      inputs: inputsOf(c),
      op: (...tensors) => run(c, on.device, tensors),
      reference: (...values) => reference(c, values),
    });
  });

for (const [title, c] of Object.entries(small)) check(floatDTypes, title, c);
for (const [title, c] of Object.entries(large)) check(['float32'], title, c);

/** The output, and gradients of q, k, v and sinks for a seeded gradient of the output. */
async function resultsOf(c: Case, device: Device, dtype: FloatDType): Promise<Float32Array[]> {
  const leaves = tensorsOf(Object.values(inputsOf(c)), device, dtype).map(requireGradient);
  const out = run(c, device, leaves);
  backward(out, tensor(normalNumbers(out.size, 5), {shape: out.shape, dtype, device}));
  return Promise.all([out.floats(), ...leaves.map(async (leaf) => gradient(leaf)!.floats())]);
}

async function gradientsOf(c: Case, device: Device, dtype: FloatDType): Promise<Float32Array[]> {
  return (await resultsOf(c, device, dtype)).slice(1);
}

// Steps with fewer segments are padded to one shape. A tile and more, a segment that is empty before the end, and every option.
const padded: Readonly<Record<string, Case>> = {
  'a causal mask': {queries: [70, 9], heads: 2},
  'no mask': {queries: [20, 0, 65], mask: 'none', headDim: 32},
  'a window and a prefix': {queries: [100, 9], heads: 4, kvHeads: 2, window: 20, prefixLengths: [30, 9]},
  'other keys than queries': {queries: [3, 9], keys: [90, 9], heads: 2, sinks: [0, 1]},
  'one query for many keys': {queries: [1, 1], keys: [200, 70], heads: 2, headDim: 32},
};

for (const [title, c] of Object.entries(padded))
  onEachDevice(
    floatDTypes,
    `attention takes segments without tokens at the end without a change to any bit: ${title}`,
    async (t, {device, dtype}) => {
      const wanted = await resultsOf(c, device, dtype);
      // More than there are segments with tokens, and than a warp has lanes.
      for (const padding of [1, 40]) {
        const none = Array<number>(padding).fill(0);
        const {queries, keys, prefixLengths} = c;
        const longer = {
          ...c,
          queries: [...queries, ...none],
          ...(keys && {keys: [...keys, ...none]}),
          ...(prefixLengths && {prefixLengths: [...prefixLengths, ...none]}),
        };
        t.deepEqual(await resultsOf(longer, device, dtype), wanted, `${padding} segments`);
      }
    },
  );

onEachDevice(
  floatDTypes,
  'gradients of attention have the same bits on any number of threads',
  async (t, {device, dtype}) => {
    const c: Case = {queries: [300, 20, 1, 90], heads: 4, kvHeads: 2, headDim: 32, sinks: [0, 1, 2, 3]};
    t.teardown(() => setThreads(2));
    const results = [];
    for (const threads of [1, 2, 5, 2]) {
      setThreads(threads);
      results.push(await gradientsOf(c, device, dtype));
    }
    for (const result of results) t.deepEqual(result, results[0]);
  },
);

const segment = fc.record({
  queries: fc.nat(150),
  more: fc.integer({min: -70, max: 150}),
  prefix: fc.nat(200),
});

// Tiles of keys add to a block of rows in turn: where the two disagree on who visits whom, they wait for ever or too little.
for (const device of testDevices.filter((each) => each !== 'cpu'))
  test(`${device} gradients of attention are those of the CPU for any segments and options`, async (t) => {
    const anyCase = fc.record({
      segments: fc.array(segment, {maxLength: 6}),
      group: fc.constantFrom(1, 2, 3),
      headDim: fc.constantFrom(4, 32),
      mask: fc.constantFrom('causal' as const, 'none' as const),
      window: fc.option(fc.integer({min: 1, max: 150}), {nil: undefined}),
    });
    await fc.assert(
      fc.asyncProperty(anyCase, async ({segments, group, ...options}) => {
        const c = drawnCase(segments, group, options);
        const wanted = await gradientsOf(c, 'cpu', 'float32');
        for (const [i, got] of (await gradientsOf(c, device, 'float32')).entries())
          closeTo(t, got, wanted[i]!, sumFloor * Math.max(1, ...wanted[i]!.map(Math.abs)));
      }),
      {seed: 12, numRuns: 20, endOnFailure: true}, // a device that has failed would fail any smaller case, too
    );
  });

onEachDevice(
  floatDTypes,
  'a row of attention that sees no key has a finite gradient, and gives none',
  async (t, {device, dtype}) => {
    const [dq, dk, dv] = await gradientsOf({queries: [9, 4], keys: [3, 0], heads: 2}, device, dtype);
    const blind = 6 * 2 * 16; // three keys: only the last three of nine queries see one
    t.true(dq!.slice(0, blind).every((value) => value === 0));
    t.true(dq!.slice(9 * 2 * 16).every((value) => value === 0));
    for (const values of [dq!, dk!, dv!]) t.true(values.every(Number.isFinite));
  },
);

onEachDevice(['float32'], 'keys that no query of attention sees have gradient 0', async (t, {device}) => {
  const [, dk, dv] = await gradientsOf({queries: [2, 0], keys: [100, 5], window: 3}, device, 'float32');
  // Queries at 98 and 99 see the keys from 96 on.
  for (const values of [dk!, dv!]) {
    t.true(values.slice(0, 96 * 16).every((value) => value === 0));
    t.true(values.slice(96 * 16, 100 * 16).some((value) => value !== 0));
    t.true(values.slice(100 * 16).every((value) => value === 0));
  }
});

onEachDevice(['float32'], 'attention gives gradients to those inputs that want them', async (t, {device}) => {
  const c: Case = {queries: [5], heads: 2, sinks: [0, 1]};
  const [q, k, v, sinks] = tensorsOf(Object.values(inputsOf(c)), device, 'float32') as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  requireGradient(sinks);
  const out = run(c, device, [q, k, v, sinks]);
  backward(out, tensor(normalNumbers(out.size, 5), {shape: out.shape, device}));
  t.deepEqual(
    [q, k, v].map((leaf) => gradient(leaf)),
    [undefined, undefined, undefined],
  );
  t.true((await gradient(sinks)!.floats()).every((value) => value !== 0));
});
