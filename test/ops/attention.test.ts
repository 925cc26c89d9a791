/** Attention against its equations: every option, dtype and edge of a tile. Gradients are in attention-gradients.test.ts. */
import fc from 'fast-check';
import {setThreads} from '../../lib/tensor/index.js';
import {asGoodAsPlain, closeTo, floatDTypes, onEachDevice, representable, type On} from '../support/ops.js';
import {drawnCase, inputsOf, reference, run, tensorsOf, type Case} from './attention-reference.js';
import type {ExecutionContext} from 'ava';

async function matchesReference(
  t: ExecutionContext,
  {device, dtype}: On,
  c: Case,
  spread = 1,
): Promise<void> {
  const inputs = Object.values(inputsOf(c, spread));
  const values = inputs.map((input) => representable(input.values, input.dtype ?? dtype));
  const out = run(c, device, tensorsOf(inputs, device, dtype));
  await asGoodAsPlain(t, out, (round) => reference(c, values, round));
}

// A tile has 64 rows and 64 keys; vectors have 4, 8 or 16 floats; products go by blocks of 6 rows.
const edges = [1, 2, 5, 6, 7, 15, 16, 17, 63, 64, 65, 127, 128, 129];

const cases: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(edges.map((tokens) => [`${tokens} tokens`, {queries: [tokens], heads: 2}])),
  'no segments': {queries: []},
  'segments without tokens': {queries: [0, 3, 0, 0, 70, 0], heads: 2},
  'many short segments': {queries: [10, 17, 3, 25, 1, 1, 8, 31, 12], heads: 2},
  'no mask': {queries: [70, 9], heads: 2, mask: 'none'},
  'a window of one': {queries: [20], window: 1},
  'a window shorter than a tile': {queries: [200], window: 30},
  'a window as long as a tile': {queries: [200], window: 64},
  'a window longer than the segment': {queries: [20], window: 21},
  'a window without a mask': {queries: [150, 9], mask: 'none', window: 40},
  'a prefix in one tile': {queries: [40, 30], prefixLengths: [17, 0]},
  'a prefix over tiles': {queries: [200, 70], prefixLengths: [130, 70]},
  'a prefix and a window': {queries: [300], prefixLengths: [70], window: 20},
  'a prefix of exactly one tile': {queries: [140], prefixLengths: [64], window: 10},
  'two heads a key head': {queries: [50, 20], heads: 4, kvHeads: 2},
  'three heads a key head': {queries: [50, 20], heads: 6, kvHeads: 2},
  'one key head for all': {queries: [70, 5], heads: 5, kvHeads: 1},
  'a scale': {queries: [30], scale: 0.7},
  'a softcap': {queries: [80], softcap: 2},
  sinks: {queries: [70, 3], heads: 3, sinks: [-1, 0.5, 3]},
  'everything at once': {
    queries: [100, 0, 7],
    keys: [150, 4, 7],
    heads: 4,
    kvHeads: 2,
    headDim: 24,
    window: 33,
    prefixLengths: [20, 2, 7],
    scale: 0.5,
    softcap: 3,
    sinks: [-2, 0, 1, 4],
  },
  'one query for many keys': {queries: [1, 1, 1], keys: [5, 200, 64], heads: 4, kvHeads: 2, headDim: 32},
  'few queries for many keys': {queries: [2, 3, 5], keys: [100, 66, 300], heads: 2, headDim: 32},
  'one query, window, prefix, softcap and sinks': {
    queries: [1, 1],
    keys: [200, 70],
    heads: 2,
    headDim: 32,
    window: 20,
    prefixLengths: [70, 3],
    softcap: 2,
    sinks: [1, -1],
  },
  'one query of a headDim that is no whole vector': {queries: [1], keys: [90], heads: 2, headDim: 26},
  'more queries than keys': {queries: [70, 9], keys: [20, 0], heads: 2},
  'more queries than keys, without a mask': {queries: [70, 9], keys: [20, 0], mask: 'none'},
};

for (const [title, c] of Object.entries(cases))
  onEachDevice(floatDTypes, `attention matches its equations: ${title}`, (t, on) =>
    matchesReference(t, on, c),
  );

// Whole vectors of each width, and none of them.
for (const headDim of [2, 4, 8, 14, 16, 18, 32, 48, 64, 80, 96, 128, 192, 254, 256])
  onEachDevice(floatDTypes, `attention matches its equations: headDim ${headDim}`, (t, on) =>
    matchesReference(t, on, {queries: [17, 3], heads: 2, headDim}),
  );

onEachDevice(['float32'], 'attention bears logits of thousands', async (t, on) => {
  await matchesReference(t, on, {queries: [70], headDim: 64}, 40);
});

onEachDevice(floatDTypes, 'attention of rows that see no key is 0', async (t, {device, dtype}) => {
  const c: Case = {queries: [9, 4], keys: [3, 0], heads: 2};
  const out = await run(c, device, tensorsOf(Object.values(inputsOf(c)), device, dtype)).floats();
  const blind = 6 * 2 * 16; // three keys: only the last three of nine queries see one
  t.true(out.slice(0, blind).every((value) => value === 0));
  t.true(out.slice(blind, 9 * 2 * 16).every((value) => value !== 0));
  t.true(out.slice(9 * 2 * 16).every((value) => value === 0));
});

onEachDevice(
  floatDTypes,
  'attention gives the same bits on any number of threads',
  async (t, {device, dtype}) => {
    const c: Case = {queries: [300, 20, 1, 90], heads: 4, kvHeads: 2, headDim: 32};
    const tensors = tensorsOf(Object.values(inputsOf(c)), device, dtype);
    t.teardown(() => setThreads(2));
    const results = [];
    for (const threads of [1, 2, 5]) {
      setThreads(threads);
      results.push(await run(c, device, tensors).data());
    }
    t.deepEqual(results[1], results[0]);
    t.deepEqual(results[2], results[0]);
  },
);

onEachDevice(
  ['float32'],
  'attention passes NaN on to the rows that see it, and no other',
  async (t, {device}) => {
    const c: Case = {queries: [6, 4]};
    const inputs = inputsOf(c);
    const k = {...inputs.k, values: inputs.k.values.map((value, index) => (index === 3 * 16 ? NaN : value))};
    const out = await run(c, device, tensorsOf([inputs.q, k, inputs.v], device, 'float32')).floats();
    for (let token = 0; token < 10; token++)
      t.is(Number.isNaN(out[token * 16]), token >= 3 && token < 6, `token ${token}`);
  },
);

const segment = fc.record({queries: fc.nat(40), more: fc.integer({min: -5, max: 90}), prefix: fc.nat(100)});

onEachDevice(['float32'], 'attention matches its equations for any segments and options', async (t, on) => {
  const anyCase = fc.record({
    segments: fc.array(segment, {maxLength: 4}),
    group: fc.constantFrom(1, 2, 3),
    headDim: fc.constantFrom(4, 16, 22, 32),
    mask: fc.constantFrom('causal' as const, 'none' as const),
    window: fc.option(fc.integer({min: 1, max: 100}), {nil: undefined}),
    softcap: fc.option(fc.constantFrom(1, 5), {nil: undefined}),
    sink: fc.option(fc.constantFrom(-1, 2), {nil: undefined}),
  });
  await fc.assert(
    fc.asyncProperty(anyCase, async ({segments, group, sink, ...options}) => {
      const c: Case = {
        ...drawnCase(segments, group, options),
        ...(sink === undefined ? {} : {sinks: Array.from({length: 2 * group}, () => sink)}),
      };
      const inputs = Object.values(inputsOf(c));
      const values = inputs.map((input) => representable(input.values, 'float32'));
      const out = await run(c, on.device, tensorsOf(inputs, on.device, 'float32')).floats();
      closeTo(t, out, reference(c, values), 2e-5);
    }),
    {seed: 11, numRuns: 60},
  );
});
