import {noGrad} from '../../lib/autograd/index.js';
import {createDecoder, decoderInput, type Decoder, type PackedTokens} from '../../lib/nn/index.js';
import {linear} from '../../lib/ops/index.js';
import {scope} from '../../lib/tensor/index.js';
import {asGoodAsPlain, closeTo, floatDTypes, onEachDevice} from '../support/ops.js';
import {referenceForward} from './reference.js';
import {lengths, packedSegments, referenceOf, shaken, tiny, variants} from './shapes.js';

for (const [title, {shape, prefixLengths = [0, 0, 0]}] of Object.entries(variants))
  onEachDevice(floatDTypes, `the decoder ${title} is the plain one`, async (t, on) => {
    using decoder = shaken(on, {...tiny, ...shape});
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

// Tiles of a GPU begin where tokens do, not where segments do: sums have another order, and what is rounded to the dtype may fall on
// the other side. A float32 has the order of the sums of all layers.
const unitInLastPlace = {float32: 2 ** -18, bfloat16: 2 ** -7, float16: 2 ** -10};

onEachDevice(
  floatDTypes,
  'segments packed together equal segments alone, on the CPU to the bit',
  async (t, on) => {
    using decoder = shaken(on);
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
    if (on.device === 'cpu') t.deepEqual([...together], alone);
    else closeTo(t, together, alone, unitInLastPlace[on.dtype] * Math.max(...alone.map(Math.abs)));
  },
);

async function hiddenOf(decoder: Decoder, packed: PackedTokens): Promise<Float32Array> {
  using hidden = noGrad(() => scope(() => decoder.forward(decoderInput(packed, decoder.device)).hidden));
  return hidden.floats();
}

onEachDevice(
  ['float32'],
  'hidden states alone are those of the whole pass, in the order asked',
  async (t, on) => {
    using decoder = shaken(on);
    const input = decoderInput(packedSegments(lengths), on.device);
    const whole = decoder.forward(input, {hiddenStates: [2, 0]}).hiddenStates;
    const alone = decoder.hiddenStates(input, {hiddenStates: [2, 0]});
    const embedding = decoder.hiddenStates(input, {hiddenStates: [0]});
    for (const index of [0, 1]) t.deepEqual(await alone[index]!.floats(), await whole[index]!.floats());
    t.deepEqual(await embedding[0]!.floats(), await whole[1]!.floats());
  },
);

onEachDevice(['float32'], 'a hidden state that is not there is refused', (t, on) => {
  using decoder = createDecoder(tiny, {seed: 1, ...on});
  const input = decoderInput(packedSegments([2]), on.device);
  for (const layer of [3, -1, 0.5])
    t.throws(() => decoder.hiddenStates(input, {hiddenStates: [layer]}), {
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
