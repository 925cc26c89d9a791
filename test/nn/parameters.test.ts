import test from 'ava';
import {createDecoder, weightShapes, type Decoder} from '../../lib/nn/index.js';
import {onEachDevice} from '../support/ops.js';
import {shaken, tiny, variants} from './shapes.js';

const blockNames = [
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
  'input_layernorm',
  'post_attention_layernorm',
];

test('parameters have the names of a Hugging Face Llama checkpoint, in one order', (t) => {
  using decoder = createDecoder({...tiny, tiedHead: false}, {seed: 1});
  const blocks = [0, 1].flatMap((layer) => blockNames.map((part) => `model.layers.${layer}.${part}.weight`));
  t.deepEqual(
    decoder.parameters.map(({name}) => name),
    ['model.embed_tokens.weight', ...blocks, 'model.norm.weight', 'lm_head.weight'],
  );
});

test('a tied head is the embedding and no parameter of its own', (t) => {
  using decoder = createDecoder(tiny, {seed: 1});
  t.false(decoder.parameters.some(({name}) => name === 'lm_head.weight'));
  t.is(decoder.head, decoder.parameters[0]!.tensor);
});

test('parameters have the shapes that the model names', (t) => {
  using decoder = createDecoder({...tiny, tiedHead: false}, {seed: 1});
  const shapes = Object.fromEntries(decoder.parameters.map(({name, tensor}) => [name, tensor.shape]));
  t.like(shapes, {
    'model.embed_tokens.weight': [23, 12],
    'model.layers.1.self_attn.q_proj.weight': [24, 12],
    'model.layers.1.self_attn.k_proj.weight': [12, 12],
    'model.layers.1.self_attn.v_proj.weight': [12, 12],
    'model.layers.1.self_attn.o_proj.weight': [12, 24],
    'model.layers.1.mlp.gate_proj.weight': [20, 12],
    'model.layers.1.mlp.down_proj.weight': [12, 20],
    'model.norm.weight': [12],
    'lm_head.weight': [23, 12],
  });
  const block = 24 * 12 + 2 * 12 * 12 + 12 * 24 + 3 * 20 * 12 + 2 * 12;
  t.is(decoder.parameterCount, 2 * 23 * 12 + 2 * block + 12);
});

test('weight decay is for matrices alone', (t) => {
  using decoder = createDecoder(tiny, {seed: 1});
  for (const {name, decays} of decoder.parameters) t.is(decays, !name.includes('norm'), name);
});

async function valuesOf(decoder: Decoder, name: string): Promise<Float32Array> {
  return decoder.parameters.find((parameter) => parameter.name === name)!.tensor.floats();
}

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

onEachDevice(
  ['float32'],
  'initial values are normal, those that write to the stream smaller by depth',
  async (t, on) => {
    const shape = {...tiny, layers: 8, features: 64, hiddenFeatures: 128, heads: 8, kvHeads: 8, headDim: 8};
    using decoder = createDecoder(shape, {seed: 1, ...on});
    const at = (part: string): Promise<Float32Array> => valuesOf(decoder, `model.layers.3.${part}.weight`);
    // The standard error of a deviation over n values is its size over sqrt(2 n): 1.1 % for the smallest, 4096 values.
    const isNear = async (part: string, wanted: number): Promise<void> => {
      const got = deviation(await at(part));
      t.true(Math.abs(got / wanted - 1) < 0.05, `${part} has deviation ${got}, not ${wanted}`);
    };
    await isNear('self_attn.q_proj', 0.02);
    await isNear('mlp.up_proj', 0.02);
    await isNear('self_attn.o_proj', 0.02 / 4);
    await isNear('mlp.down_proj', 0.02 / 4);
    t.true((await at('input_layernorm')).every((value) => value === 1));
  },
);

onEachDevice(['float32'], 'initial values follow the seed', async (t, on) => {
  using one = createDecoder(tiny, {seed: 1, ...on});
  using same = createDecoder(tiny, {seed: 1, ...on});
  using other = createDecoder(tiny, {seed: 2, ...on});
  const name = 'model.layers.1.mlp.up_proj.weight';
  t.deepEqual(await valuesOf(one, name), await valuesOf(same, name));
  t.notDeepEqual(await valuesOf(one, name), await valuesOf(other, name));
});

onEachDevice(['float32'], 'no two parameters share their values', async (t, on) => {
  using decoder = createDecoder({...tiny, tiedHead: false}, {seed: 1, ...on});
  const matrices = decoder.parameters.filter(({decays}) => decays);
  const firsts = await Promise.all(matrices.map(async ({tensor}) => (await tensor.floats())[0]));
  t.is(new Set(firsts).size, matrices.length);
});

onEachDevice(['float32'], 'initial values of a block do not depend on what else there is', async (t, on) => {
  using tied = createDecoder(tiny, {seed: 1, ...on});
  using untied = createDecoder({...tiny, tiedHead: false, vocabSize: 40}, {seed: 1, ...on});
  const name = 'model.layers.1.mlp.up_proj.weight';
  t.deepEqual(await valuesOf(tied, name), await valuesOf(untied, name));
});

test('names and shapes without weights are those of the parameters, in their order', (t) => {
  for (const {shape} of Object.values(variants)) {
    using decoder = shaken({device: 'cpu', dtype: 'float32'}, {...tiny, ...shape});
    t.deepEqual(
      [...weightShapes(decoder.shape)],
      decoder.parameters.map(({name, tensor}) => [name, [...tensor.shape]]),
    );
  }
});
