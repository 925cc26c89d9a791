import test from 'ava';
import {parseHfConfig} from '../../../lib/formats/hf/config.js';

const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  vocab_size: 500,
};
const mistral = {...llama, architectures: ['MistralForCausalLM'], model_type: 'mistral'};
const parsed = (change: object) => parseHfConfig({path: 'config.json', value: {...llama, ...change}});

test('what a config.json leaves out is what transformers takes', (t) => {
  t.deepEqual(parsed({}), {
    shape: {
      layers: 3,
      features: 64,
      heads: 4,
      kvHeads: 4,
      headDim: 16,
      hiddenFeatures: 96,
      context: 2048,
      ropeTheta: 10000,
      tiedHead: false,
      normEps: 1e-6,
      vocabSize: 500,
    },
  });
  const value = {...mistral, num_attention_heads: 16};
  t.like(parseHfConfig({path: 'config.json', value}).shape, {
    kvHeads: 8,
    context: 131072,
    slidingWindow: {size: 4096, layers: [1, 2, 3]},
  });
});

test('what a config.json says is read, null as if it said nothing', (t) => {
  const said = {
    num_key_value_heads: 2,
    head_dim: 32,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    rope_theta: 500000,
    rope_scaling: null,
    sliding_window: 100, // of a Llama it says nothing
    bos_token_id: 1,
    eos_token_id: [2, 7],
    quantization_config: null,
    attention_bias: false,
    some_new_member: {deep: [1]},
  };
  const {shape, bos, eos} = parsed(said);
  t.deepEqual([bos, eos], [1, 2]);
  t.like(shape, {kvHeads: 2, headDim: 32, context: 4096, ropeTheta: 500000, tiedHead: true, normEps: 1e-5});
  t.is(shape.slidingWindow, undefined);
  t.is(shape.ropeScaling, undefined);
});

test('a Mistral has its window on all layers, or none', (t) => {
  const windowOf = (change: object) =>
    parseHfConfig({path: 'config.json', value: {...mistral, num_key_value_heads: 2, ...change}}).shape
      .slidingWindow;
  t.deepEqual(windowOf({sliding_window: 7}), {size: 7, layers: [1, 2, 3]});
  t.is(windowOf({sliding_window: null}), undefined);
  t.throws(() => windowOf({sliding_window: 7, layer_types: ['full_attention', 'sliding_attention']}), {
    code: 'ERR_FORMAT',
    message: /layer_types of more than one kind/,
  });
});

const llama3 = {
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

for (const [title, change, theta, scaling] of [
  [
    'linear under its old name',
    {rope_scaling: {type: 'linear', factor: 4}},
    10000,
    {type: 'linear', factor: 4},
  ],
  [
    'linear with a theta of transformers 5',
    {rope_parameters: {rope_type: 'linear', factor: 4, rope_theta: 77}},
    77,
    {type: 'linear', factor: 4},
  ],
  [
    'the default of transformers 5',
    {rope_parameters: {rope_type: 'default', rope_theta: 5e5}},
    5e5,
    undefined,
  ],
  [
    'llama3',
    {rope_theta: 5e5, rope_scaling: {rope_type: 'llama3', ...llama3}},
    5e5,
    {type: 'llama3', factor: 8, originalContext: 8192, lowFrequencyFactor: 1, highFrequencyFactor: 4},
  ],
  [
    'yarn with what it leaves out',
    {max_position_embeddings: 4096, rope_scaling: {type: 'yarn', original_max_position_embeddings: 1024}},
    10000,
    {type: 'yarn', factor: 4, originalContext: 1024, betaFast: 32, betaSlow: 1},
  ],
  [
    'yarn with the attention factor of its paper',
    {
      rope_scaling: {
        rope_type: 'yarn',
        factor: 16,
        original_max_position_embeddings: 4096,
        attention_factor: 0.1 * Math.log(16) + 1,
        beta_fast: 16,
        truncate: true,
      },
    },
    10000,
    {type: 'yarn', factor: 16, originalContext: 4096, betaFast: 16, betaSlow: 1},
  ],
] as const)
  test(`rotary scaling is read: ${title}`, (t) => {
    const {shape} = parsed(change);
    t.is(shape.ropeTheta, theta);
    t.deepEqual(shape.ropeScaling, scaling);
  });

const yarn = {rope_type: 'yarn', factor: 16, original_max_position_embeddings: 4096};

for (const [title, change, message] of [
  [
    'another model',
    {model_type: 'qwen2', architectures: ['Qwen2ForCausalLM']},
    /type "qwen2"; crossmap reads Llama/,
  ],
  [
    'another head on a Llama',
    {architectures: ['LlamaForSequenceClassification']},
    /architecture "LlamaForSeq/,
  ],
  ['no type', {model_type: undefined}, /does not say which model it is/],
  ['a type of JavaScript', {model_type: '__proto__'}, /type "__proto__"/],
  ['biases', {attention_bias: true}, /attention_bias: .*; crossmap has no biases/],
  ['biases of the MLP', {mlp_bias: true}, /mlp_bias: .*; crossmap has no biases/],
  ['another activation', {hidden_act: 'gelu'}, /hidden_act: .*; crossmap computes SwiGLU/],
  ['half a rotation', {partial_rotary_factor: 0.5}, /partial_rotary_factor: .*turns all features/],
  ['quantised weights', {quantization_config: {quant_method: 'gptq'}}, /quantization_config: .*quantised/],
  ['compressed weights', {compression_config: {}}, /compression_config: .*compressed/],
  ['no layers', {num_hidden_layers: 0}, /num_hidden_layers/],
  ['millions of layers', {num_hidden_layers: 5e6}, /num_hidden_layers/],
  ['a size that is no number', {hidden_size: '64'}, /hidden_size/],
  ['a norm without eps', {rms_norm_eps: 0}, /rms_norm_eps/],
  ['an infinite theta', {rope_theta: Infinity}, /rope_theta/],
  ['key heads that do not divide', {num_key_value_heads: 3}, /3 num_key_value_heads/],
  ['heads of 12.8 features', {num_attention_heads: 5}, /no multiple of num_attention_heads/],
  ['odd heads', {head_dim: 15}, /heads of 15 features/],
  ['wide heads', {head_dim: 512}, /heads of 512 features/],
  [
    'dynamic scaling',
    {rope_scaling: {type: 'dynamic', factor: 2}},
    /type dynamic; crossmap knows default, linear/,
  ],
  ['a scaling of JavaScript', {rope_scaling: {type: 'constructor'}}, /type constructor/],
  ['scaling without a factor', {rope_scaling: {type: 'linear'}}, /scaling without factor/],
  ['scaling by layer', {rope_parameters: {full_attention: {rope_type: 'default'}}}, /rope_parameters/],
  ['a factor below 1', {rope_scaling: {type: 'linear', factor: 0.5}}, /rope_scaling\.factor/],
  [
    'frequencies the wrong way round',
    {rope_scaling: {type: 'llama3', ...llama3, high_freq_factor: 1}},
    /high_freq_factor of 1/,
  ],
  [
    'yarn with another temperature',
    {rope_scaling: {...yarn, attention_factor: 1}},
    /attention factor of 1; /,
  ],
  ['yarn with scales', {rope_scaling: {...yarn, mscale: 1, mscale_all_dim: 0.7}}, /attention factor of 1\.0/],
  [
    'yarn with bounds inside of features',
    {rope_scaling: {...yarn, truncate: false}},
    /rope_scaling\.truncate/,
  ],
] as const)
  test(`a config.json is refused for ${title}`, (t) => {
    t.throws(() => parsed(change), {code: 'ERR_FORMAT', message});
  });
