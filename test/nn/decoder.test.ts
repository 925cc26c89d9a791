import {backward, clearGradients, gradient, noGrad} from '../../lib/autograd/index.js';
import {
  createDecoder,
  decoderInput,
  type Decoder,
  type DecoderShape,
  type PackedTokens,
} from '../../lib/nn/index.js';
import {indices} from '../../lib/nn/input.js';
import {rotaryFrequencies} from '../../lib/nn/rotary-frequencies.js';
import {linear, linearCrossEntropy} from '../../lib/ops/index.js';
import {memory, scope} from '../../lib/tensor/index.js';
import {uniformNumbers, wholeNumbers} from '../support/numbers.js';
import {asGoodAsPlain, closeTo, floatDTypes, onEachDevice, type On} from '../support/ops.js';
import {logProbability, referenceForward, weightsOf, type ReferenceModel} from './reference.js';
import {packedSegments, shakeWeights, tiny} from './shapes.js';

const yarn = {type: 'yarn', factor: 4, originalContext: 16, betaFast: 4, betaSlow: 0.5} as const;
const llama3 = {
  type: 'llama3',
  factor: 8,
  originalContext: 16,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
} as const;

interface Variant {
  readonly shape?: Partial<DecoderShape>;
  readonly prefixLengths?: readonly number[];
}

const lengths = [5, 1, 9];
const variants: Readonly<Record<string, Variant>> = {
  'with grouped heads and a tied head': {},
  'with a head of its own': {shape: {tiedHead: false}},
  'with as many key as query heads': {shape: {kvHeads: 4}},
  'with one key head': {shape: {kvHeads: 1}},
  'with a window on one layer': {shape: {slidingWindow: {size: 2, layers: [2]}}},
  'with prefixes': {prefixLengths: [3, 0, 9]},
  'with prefixes and windows': {
    shape: {slidingWindow: {size: 3, layers: [1, 2]}},
    prefixLengths: [2, 1, 4],
  },
  'with linear scaling of positions': {shape: {ropeScaling: {type: 'linear', factor: 4}}},
  'with llama3 scaling of frequencies': {shape: {ropeScaling: llama3}},
  'with yarn scaling of frequencies': {shape: {ropeScaling: yarn}},
};

function shaken(shape: DecoderShape, on: On): Decoder {
  const decoder = createDecoder(shape, {seed: 1, ...on});
  shakeWeights(decoder);
  return decoder;
}

async function referenceOf(decoder: Decoder): Promise<ReferenceModel> {
  const {frequencies, scale} = rotaryFrequencies(decoder.shape);
  return {shape: decoder.shape, weights: await weightsOf(decoder), frequencies, rotaryScale: scale};
}

for (const [title, {shape, prefixLengths = [0, 0, 0]}] of Object.entries(variants))
  onEachDevice(floatDTypes, `the decoder ${title} is the plain one`, async (t, on) => {
    using decoder = shaken({...tiny, ...shape}, on);
    const packed = packedSegments(lengths, {prefixLengths});
    const {hidden, hiddenStates} = decoder.forward(decoderInput(packed, on.device), {
      hiddenStates: [0, 1, 2],
    });
    const model = await referenceOf(decoder);
    await asGoodAsPlain(t, hidden, (round) => referenceForward(model, packed, round).hidden);
    await asGoodAsPlain(
      t,
      linear(hidden, decoder.head),
      (round) => referenceForward(model, packed, round).logits,
    );
    for (const [layer, states] of hiddenStates.entries())
      await asGoodAsPlain(t, states, (round) => referenceForward(model, packed, round).hiddenStates[layer]!);
  });

/** Mean negative log-likelihood of seeded targets. */
function loss(decoder: Decoder, packed: PackedTokens, checkpointing = false) {
  const {device} = decoder;
  const {hidden} = decoder.forward(decoderInput(packed, device), {checkpointing});
  return linearCrossEntropy(hidden, decoder.head, indices(targetsOf(packed), device)).loss;
}

function targetsOf({tokens}: PackedTokens): number[] {
  return wholeNumbers(tokens.length, tiny.vocabSize, 17);
}

for (const [title, {shape, prefixLengths = [0, 0, 0]}] of Object.entries(variants))
  onEachDevice(['float32'], `the decoder ${title} has the gradients of finite differences`, async (t, on) => {
    using decoder = shaken({...tiny, ...shape}, on);
    const packed = packedSegments(lengths, {prefixLengths});
    backward(loss(decoder, packed));
    const model = await referenceOf(decoder);
    for (const [index, {name, tensor}] of decoder.parameters.entries()) {
      const got = await gradient(tensor)!.floats();
      const uniform = uniformNumbers(index);
      const probed = [uniform(), uniform()].map((u) => Math.floor(u * got.length));
      const wanted = probed.map((element) => finiteDifference(model, packed, {name, element}));
      const largest = got.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      t.log(name);
      closeTo(
        t,
        probed.map((element) => got[element]!),
        wanted,
        2 ** -14 * largest,
      );
    }
    clearGradients(decoder.parameters.map(({tensor}) => tensor));
  });

function finiteDifference(
  {weights, ...model}: ReferenceModel,
  packed: PackedTokens,
  {name, element}: {name: string; element: number},
): number {
  const targets = targetsOf(packed);
  const at = (change: number): number => {
    const changed = new Map(weights).set(
      name,
      Float64Array.from(weights.get(name)!, (value, i) => (i === element ? value + change : value)),
    );
    const {logits} = referenceForward({...model, weights: changed}, packed);
    return (
      -logits.reduce((sum, row, token) => sum + logProbability(row, targets[token]!), 0) / targets.length
    );
  };
  const step = 1e-3;
  return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

onEachDevice(floatDTypes, 'checkpointing gives the same gradients to the bit', async (t, on) => {
  using decoder = shaken({...tiny, tiedHead: false}, on);
  const packed = packedSegments(lengths, {prefixLengths: [2, 0, 3]});
  const gradients = async (checkpointing: boolean): Promise<Float32Array[]> => {
    const leaves = decoder.parameters.map(({tensor}) => tensor);
    scope(() => backward(loss(decoder, packed, checkpointing)));
    const all = await Promise.all(leaves.map((leaf) => gradient(leaf)!.floats()));
    clearGradients(leaves);
    return all;
  };
  t.deepEqual(await gradients(true), await gradients(false));
});

onEachDevice(floatDTypes, 'segments packed together equal segments alone, to the bit', async (t, on) => {
  using decoder = shaken(tiny, on);
  const packed = packedSegments(lengths, {prefixLengths: [2, 0, 3]});
  const together = await hiddenOf(decoder, packed);
  const alone: number[] = [];
  for (const [segment, length] of lengths.entries()) {
    const start = packed.segmentStarts[segment]!;
    const own = await hiddenOf(decoder, {
      tokens: packed.tokens.slice(start, start + length),
      positions: packed.positions.slice(start, start + length),
      segmentStarts: Int32Array.of(0, length),
      prefixLengths: packed.prefixLengths.slice(segment, segment + 1),
    });
    alone.push(...own);
  }
  t.deepEqual([...together], alone);
});

async function hiddenOf(decoder: Decoder, packed: PackedTokens): Promise<Float32Array> {
  using hidden = noGrad(() => scope(() => decoder.forward(decoderInput(packed, decoder.device)).hidden));
  return hidden.floats();
}

onEachDevice(
  ['float32'],
  'hidden states alone are those of the whole pass, in the order asked',
  async (t, on) => {
    using decoder = shaken(tiny, on);
    const input = decoderInput(packedSegments(lengths), on.device);
    const whole = decoder.forward(input, {hiddenStates: [2, 0]}).hiddenStates;
    const alone = decoder.hiddenStates(input, [2, 0]);
    const embedding = decoder.hiddenStates(input, [0]);
    for (const index of [0, 1]) t.deepEqual(await alone[index]!.floats(), await whole[index]!.floats());
    t.deepEqual(await embedding[0]!.floats(), await whole[1]!.floats());
  },
);

onEachDevice(['float32'], 'a hidden state that is not there is refused', (t, on) => {
  using decoder = createDecoder(tiny, {seed: 1, ...on});
  const input = decoderInput(packedSegments([2]), on.device);
  for (const layer of [3, -1, 0.5])
    t.throws(() => decoder.hiddenStates(input, [layer]), {
      code: 'ERR_ARGUMENT',
      message: `decoder: hidden states are 0 (the embedding) to 2; got ${layer}`,
    });
});

onEachDevice(
  ['float32'],
  'a token that is not in the vocabulary is named when the results are read',
  async (t, on) => {
    using decoder = createDecoder(tiny, {seed: 1, ...on});
    const packed = {...packedSegments([2]), tokens: Int32Array.of(0, 99)};
    await t.throwsAsync(hiddenOf(decoder, packed), {code: 'ERR_INDEX', message: /embedding.*99/});
  },
);

onEachDevice(['float32'], 'evaluation keeps nothing but the result', async (t, on) => {
  using decoder = createDecoder(tiny, {seed: 1, ...on});
  await hiddenOf(decoder, packedSegments(lengths));
  const before = memory(on.device).allocatedBytes;
  await hiddenOf(decoder, packedSegments(lengths));
  t.is(memory(on.device).allocatedBytes, before);
});

onEachDevice(['float32'], 'a training pass leaves gradients and nothing else', async (t, on) => {
  using decoder = createDecoder(tiny, {seed: 1, ...on});
  const leaves = decoder.parameters.map(({tensor}) => tensor);
  const before = memory(on.device).allocatedBytes;
  for (const checkpointing of [false, true]) {
    scope(() => backward(loss(decoder, packedSegments(lengths), checkpointing)));
    clearGradients(leaves);
    t.is(memory(on.device).allocatedBytes, before);
  }
});

onEachDevice(['float32'], 'dispose gives all memory of a decoder back', (t, on) => {
  const before = memory(on.device).allocatedBytes;
  const decoder = scope(() => createDecoder({...tiny, tiedHead: false}, {seed: 1, ...on}));
  t.true(memory(on.device).allocatedBytes > before);
  decoder.dispose();
  t.is(memory(on.device).allocatedBytes, before);
});
