import {backward, clearGradients, gradient} from '../../lib/autograd/index.js';
import {decoderInput, type Decoder, type PackedTokens} from '../../lib/nn/index.js';
import {indices} from '../../lib/nn/input.js';
import {linearCrossEntropy} from '../../lib/ops/index.js';
import {scope, type Tensor} from '../../lib/tensor/index.js';
import {uniformNumbers, wholeNumbers} from '../support/numbers.js';
import {closeTo, floatDTypes, onEachDevice} from '../support/ops.js';
import {logProbability, referenceForward, type ReferenceModel} from './reference.js';
import {lengths, packedSegments, referenceOf, shaken, tiny, variants} from './shapes.js';

/** Mean negative log-likelihood of seeded targets. */
function loss(decoder: Decoder, packed: PackedTokens, checkpointing = false): Tensor {
  const {device} = decoder;
  const {hidden} = decoder.forward(decoderInput(packed, device), {checkpointing});
  return linearCrossEntropy(hidden, decoder.head, indices(targetsOf(packed), device)).loss;
}

function targetsOf({tokens}: PackedTokens): number[] {
  return wholeNumbers(tokens.length, tiny.vocabSize, 17);
}

for (const [title, {shape, prefixLengths = [0, 0, 0]}] of Object.entries(variants))
  onEachDevice(['float32'], `the decoder ${title} has the gradients of finite differences`, async (t, on) => {
    using decoder = shaken(on, {...tiny, ...shape});
    const packed = packedSegments(lengths, {prefixLengths});
    backward(loss(decoder, packed));
    const model = await referenceOf(decoder);
    for (const [index, {name, tensor}] of decoder.parameters.entries()) {
      const got = await gradient(tensor)!.floats();
      const uniform = uniformNumbers(index);
      const probed = [uniform(), uniform()].map((u) => Math.floor(u * got.length));
      const wanted = probed.map((element) => finiteDifference(model, packed, {name, element}));
      const largest = got.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
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
  using decoder = shaken(on, {...tiny, tiedHead: false});
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
