import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {trainTokenizer, type Tokenizer} from '../../../lib/data/index.js';
import {
  decoderWeights,
  exportGguf,
  readGguf,
  type GgufFile,
  type GgufValue,
} from '../../../lib/formats/index.js';
import {createDecoder, type DecoderShape} from '../../../lib/nn/index.js';
import {full} from '../../../lib/tensor/index.js';
import {temporaryFolder} from '../folder.js';
import {rounding} from '../../support/rounding.js';
import {changedTokenizer, exported, type TokenizerContent} from './models.js';

const shape = {
  layers: 2,
  features: 12,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  hiddenFeatures: 20,
  context: 32,
  ropeTheta: 100,
  tiedHead: true,
  normEps: 1e-5,
} as const;

const languages = ['cs', 'zh-Hant'];
const controls = ['<bos>', '<eos>', '<map>', '<cs>', '<zh-Hant>'];
const vocabSize = controls.length + 256 + 3;

function tokenizerIn(folder: string): Promise<Tokenizer> {
  const texts = ['aba aba aba', 'abab'];
  return trainTokenizer(texts, {vocabSize, languages, file: join(folder, 'tokenizer.json')});
}

/** A file of a decoder of 12 features. */
async function written(
  t: ExecutionContext,
  {
    dtype = 'float32',
    variant = {},
  }: {dtype?: 'float32' | 'float16' | 'bfloat16'; variant?: Partial<DecoderShape>} = {},
) {
  const folder = await temporaryFolder(t);
  const tokenizer = await tokenizerIn(folder);
  const decoder = createDecoder({...shape, ...variant, vocabSize: tokenizer.vocabSize}, {seed: 3});
  t.teardown(() => decoder.dispose());
  const path = await exported(join(folder, 'model.gguf'), decoder, {tokenizer, dtype});
  return {decoder, tokenizer, file: await readGguf(path)};
}

function plain(value: GgufValue | undefined): unknown {
  return value?.type === 'array' ? value.value : value?.value;
}

const block = [
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
] as const;
const names: readonly (readonly [theirs: string, ours: string])[] = [
  ['token_embd.weight', 'model.embed_tokens.weight'],
  ...[0, 1].flatMap((layer) =>
    block.map(
      ([theirs, ours]) => [`blk.${layer}.${theirs}.weight`, `model.layers.${layer}.${ours}.weight`] as const,
    ),
  ),
  ['output_norm.weight', 'model.norm.weight'],
];

test('the metadata say what the model is', async (t) => {
  const {file} = await written(t);
  const said = Object.fromEntries([...file.metadata].map(([key, value]) => [key, plain(value)]));
  const tokens = said['tokenizer.ggml.tokens'] as string[];
  const types = said['tokenizer.ggml.token_type'] as number[];
  delete said['tokenizer.ggml.tokens'];
  delete said['tokenizer.ggml.token_type'];
  t.deepEqual(said, {
    'general.architecture': 'llama',
    'general.name': 'model',
    'general.file_type': 0,
    'llama.block_count': 2,
    'llama.context_length': 32,
    'llama.embedding_length': 12,
    'llama.feed_forward_length': 20,
    'llama.vocab_size': vocabSize,
    'llama.attention.head_count': 4,
    'llama.attention.head_count_kv': 2,
    'llama.attention.key_length': 6,
    'llama.attention.value_length': 6,
    'llama.attention.layer_norm_rms_epsilon': Math.fround(1e-5),
    'llama.rope.dimension_count': 6,
    'llama.rope.freq_base': 100,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'qwen35',
    'tokenizer.ggml.merges': ['a b', 'ab a', 'Ġ aba'],
    'tokenizer.ggml.bos_token_id': 0,
    'tokenizer.ggml.eos_token_id': 1,
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.ggml.add_eos_token': false,
  });
  t.deepEqual(tokens.slice(0, 5), controls);
  t.deepEqual(tokens.slice(-3), ['ab', 'aba', 'Ġaba']);
  t.deepEqual(types, [...controls.map(() => 3), ...Array<number>(259).fill(1)]);
});

test('each parameter has its name, and the embedding stands for a tied head', async (t) => {
  const {file, decoder} = await written(t);
  t.deepEqual(
    [...file.tensors].map(([name, {shape: sizes}]) => [name, sizes]),
    names.map(([theirs, ours]) => [theirs, decoder.parameters.find(({name}) => name === ours)!.tensor.shape]),
  );
  const apart = await written(t, {variant: {tiedHead: false}});
  t.deepEqual(apart.file.tensors.get('output.weight')?.shape, [vocabSize, 12]);
});

async function floatsOf(file: GgufFile, name: string): Promise<Float32Array> {
  return new Float32Array((await file.read(name)).buffer);
}

test('features that turn together are neighbours in queries and keys, and nothing else moves', async (t) => {
  const {file, decoder} = await written(t);
  for (const [theirs, ours] of names) {
    const floats = await decoder.parameters.find(({name}) => name === ours)!.tensor.floats();
    const turned = /attn_[qk]/.test(theirs);
    // Feature d of the first half of a head, then d of the second, for each d.
    const order = turned ? [0, 3, 1, 4, 2, 5] : [0, 1, 2, 3, 4, 5];
    const rows = theirs.includes('attn') && !theirs.includes('norm') ? floats.length / 12 : 0;
    const expected = turned
      ? Array.from({length: rows}, (_, row) => row - (row % 6) + order[row % 6]!).flatMap((row) => [
          ...floats.subarray(row * 12, (row + 1) * 12),
        ])
      : [...floats];
    t.deepEqual([...(await floatsOf(file, theirs))], expected, theirs);
  }
});

for (const [dtype, fileType] of [
  ['float16', 1],
  ['bfloat16', 32],
] as const)
  test(`${dtype}: matrices are rounded to it, norms stay float32`, async (t) => {
    const {file, decoder} = await written(t, {dtype});
    t.is(plain(file.metadata.get('general.file_type')), fileType);
    for (const [name, {type, shape: sizes}] of file.tensors)
      t.is(type, sizes.length === 1 ? 'float32' : dtype, name);
    const floats = await decoder.parameters[0]!.tensor.floats();
    const bits = new Uint16Array((await file.read('token_embd.weight')).buffer);
    const wide = dtype === 'bfloat16' ? (half: number) => fromBits(half * 2 ** 16) : fromHalf;
    t.deepEqual(Array.from(bits, wide), Array.from(floats, rounding[dtype]));
  });

function fromBits(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}

function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return sign === 1 ? -size : size;
}

test('scaling that llama.cpp has words for is in the metadata, other scaling a tensor of divisors', async (t) => {
  const said = async (ropeScaling: NonNullable<DecoderShape['ropeScaling']>) => {
    const {file} = await written(t, {variant: {ropeScaling}});
    const keys = [...file.metadata].filter(([key]) => key.startsWith('llama.rope.scaling.'));
    const entries = Object.fromEntries(keys.map(([key, value]) => [key.slice(19), plain(value)]));
    const divisors = file.tensors.has('rope_freqs.weight')
      ? [...(await floatsOf(file, 'rope_freqs.weight'))]
      : [];
    return {entries, divisors};
  };
  t.deepEqual(await said({type: 'linear', factor: 4}), {entries: {type: 'linear', factor: 4}, divisors: []});
  const yarn = {type: 'yarn', factor: 4, originalContext: 16} as const;
  t.deepEqual(await said({...yarn, betaFast: 32, betaSlow: 1}), {
    entries: {type: 'yarn', factor: 4, original_context_length: 16},
    divisors: [],
  });
  const other = await said({...yarn, betaFast: 2, betaSlow: 0.5});
  t.deepEqual(other.entries, {attn_factor: Math.fround(0.1 * Math.log(4) + 1)});
  t.is(other.divisors.length, 3);
  // Waves of 6.3, 29 and 136 tokens over 16: 2.5 turns, 0.55 and 0.12, kept from 4 turns on and scaled in full below 1.
  const llama3 = {
    type: 'llama3',
    factor: 8,
    originalContext: 16,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
  } as const;
  const kept = (16 / (2 * Math.PI) - 1) / 3;
  t.deepEqual(await said(llama3), {
    entries: {},
    divisors: [Math.fround(1 / ((1 - kept) / 8 + kept)), 8, 8],
  });
});

test('ids without a token are unused, and the first of two names of a token is its own', async (t) => {
  const folder = await temporaryFolder(t);
  const {file} = await tokenizerIn(folder).then(async (trained) => {
    const changed = await changedTokenizer(
      trained,
      join(folder, 'changed.json'),
      ({added_tokens, model}) => ({
        added_tokens: [
          ...added_tokens,
          {id: 1, content: '<end>'},
          {id: vocabSize + 1, content: '<|user|>', special: false},
        ],
        model: {...model, vocab: {...model.vocab, ['__proto__']: vocabSize + 2}},
      }),
    );
    const wide = {...shape, vocabSize: vocabSize + 4};
    const decoder = createDecoder(wide, {seed: 1});
    t.teardown(() => decoder.dispose());
    const path = join(folder, 'model.gguf');
    const model = {
      shape: wide,
      tokenizer: {file: changed, bos: 0, eos: 1},
      readWeight: decoderWeights(decoder),
    };
    await exportGguf(path, model, {dtype: 'float32', name: 'A name'});
    return {file: await readGguf(path)};
  });
  const tokens = plain(file.metadata.get('tokenizer.ggml.tokens')) as string[];
  const types = plain(file.metadata.get('tokenizer.ggml.token_type')) as number[];
  t.is(tokens[1], '<eos>');
  t.deepEqual(tokens.slice(vocabSize), [
    `[UNUSED${vocabSize}]`,
    '<|user|>',
    '__proto__',
    `[UNUSED${vocabSize + 3}]`,
  ]);
  t.deepEqual(types.slice(vocabSize), [5, 4, 1, 5]);
  t.is(plain(file.metadata.get('general.name')), 'A name');
});

/** Tokenizers that llama.cpp has no words for, each with what the error says of its file. */
const foreign: readonly (readonly [string, (content: TokenizerContent) => object, string])[] = [
  ['WordPiece', ({model}) => ({model: {...model, type: 'WordPiece'}}), 'is no byte-level BPE: '],
  ['a vocabulary of texts', ({model}) => ({model: {...model, vocab: {a: 'b'}}}), 'is no byte-level BPE: '],
  ['bytes as tokens', ({model}) => ({model: {...model, byte_fallback: true}}), 'is no byte-level BPE: '],
  [
    'a normaliser',
    () => ({normalizer: {type: 'Lowercase'}}),
    'has a normalizer, which llama.cpp does not apply; only NFC may be left out',
  ],
  [
    'no words',
    () => ({pre_tokenizer: {type: 'Whitespace'}}),
    'has a pre_tokenizer that llama.cpp has no rule for',
  ],
  [
    'words of its own',
    () => ({
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          {type: 'Split', pattern: {Regex: '\\w+'}, behavior: 'Isolated', invert: false},
          {type: 'ByteLevel', add_prefix_space: false, use_regex: false},
        ],
      },
    }),
    'cuts text into words by "\\\\w+", which llama.cpp has no rule for',
  ],
  [
    'known words that are looked up first',
    ({model}) => ({model: {...model, ignore_merges: true}}),
    'cuts text into words by ',
  ],
  [
    'more tokens than the model',
    ({added_tokens}) => ({added_tokens: [...added_tokens, {id: 9999, content: '<x>'}]}),
    `has the token "<x>" with id 9999; the model has ${vocabSize} tokens`,
  ],
];
for (const [what, change, says] of foreign)
  test(`a tokenizer with ${what} is refused, and nothing is written`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = await changedTokenizer(await tokenizerIn(folder), join(folder, 'changed.json'), change);
    using decoder = createDecoder({...shape, vocabSize}, {seed: 1});
    const model = {
      shape: decoder.shape,
      tokenizer: {file, bos: 0, eos: 1},
      readWeight: decoderWeights(decoder),
    };
    const error = await t.throwsAsync(exportGguf(join(folder, 'model.gguf'), model, {dtype: 'float32'}), {
      code: 'ERR_FORMAT',
    });
    t.true(error?.message.startsWith(`exportGguf: ${file} ${says}`), error?.message);
    t.deepEqual((await readdir(folder)).sort(), ['changed.json', 'tokenizer.json']);
  });

test('what cannot be exported is refused: a tokenizer that is no JSON, windows, values beyond float16, a parameter that is not there', async (t) => {
  const folder = await temporaryFolder(t);
  const tokenizer = await tokenizerIn(folder);
  using decoder = createDecoder({...shape, vocabSize}, {seed: 1});
  const readWeight = decoderWeights(decoder);
  const model = {shape: decoder.shape, tokenizer, readWeight};
  const path = join(folder, 'model.gguf');
  await writeFile(join(folder, 'no.json'), '{');
  const broken = {...model, tokenizer: {file: join(folder, 'no.json'), bos: 0, eos: 1}};
  await t.throwsAsync(exportGguf(path, broken, {dtype: 'float32'}), {
    code: 'ERR_DATA',
    message: /no\.json is no tokenizer/,
  });
  const windows = {...model, shape: {...decoder.shape, slidingWindow: {size: 31, layers: [2]}}};
  await t.throwsAsync(exportGguf(path, windows, {dtype: 'float32'}), {
    code: 'ERR_FORMAT',
    message:
      'exportGguf: model.slidingWindow of 31 tokens cannot be exported: llama.cpp runs models of architecture llama without windows',
  });
  const large = full([vocabSize, 12], 1e5);
  const parameters = [{name: 'model.embed_tokens.weight', tensor: large, decays: true}];
  await t.throwsAsync(
    exportGguf(path, {...model, readWeight: decoderWeights({parameters})}, {dtype: 'float16'}),
    {
      code: 'ERR_FORMAT',
      message: 'model.embed_tokens.weight has values that float16 cannot hold; choose bfloat16 or float32',
    },
  );
  large.dispose();
  const deeper = {...model, shape: {...decoder.shape, layers: 3}};
  await t.throwsAsync(exportGguf(path, deeper, {dtype: 'float32'}), {
    code: 'ERR_ARGUMENT',
    message: 'decoderWeights: the decoder has no parameter model.layers.2.input_layernorm.weight',
  });
  t.deepEqual((await readdir(folder)).sort(), ['no.json', 'tokenizer.json']);
});
