/** Embeddings from elsewhere: what a file must hold, and that LAC of them is that of the vectors. */
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {alignPair, readEmbeddings} from '../../lib/eval/index.js';
import {writeSafetensors, type SafetensorsDType} from '../../lib/formats/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {world} from './reference.js';

type Tensors = Readonly<
  Record<string, readonly [SafetensorsDType, readonly number[], ArrayBufferView<ArrayBuffer>]>
>;

async function file(t: ExecutionContext, tensors: Tensors): Promise<string> {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  const inputs = Object.entries(tensors).map(([name, [dtype, shape, {buffer}]]) => ({
    name,
    dtype,
    shape,
    data: new Uint8Array(buffer),
  }));
  await writeSafetensors(path, inputs);
  return path;
}

const {x, y} = world(40, 6, 0.6, 4);
const [en, cs] = [x, y].map((rows) => Float32Array.from(rows.flat())) as [
  Float32Array<ArrayBuffer>,
  Float32Array<ArrayBuffer>,
];
const shape = [40, 6];
/** The upper half of each float32: bfloat16 by cutting off. */
const bfloat16 = Uint16Array.from(new Uint32Array(en.buffer), (bits) => bits >>> 16);

test('hidden states by number, token counts, in several dtypes', async (t) => {
  const tokens = Array.from({length: 40}, (_, i) => 3 + (i % 7));
  const path = await file(t, {
    'en.0': ['float32', shape, en],
    'en.1': ['bfloat16', shape, bfloat16],
    'cs.1': ['float32', shape, cs],
    'cs.0': ['float32', shape, cs],
    'en.tokens': ['int32', [40], Int32Array.from(tokens)],
    'cs.tokens': ['int64', [40], BigInt64Array.from(tokens.map(BigInt))],
  });
  const embeddings = await readEmbeddings(path);
  t.deepEqual(embeddings.languages, ['cs', 'en']);
  const pair = embeddings.pair('en', 'cs');
  t.deepEqual(pair.layers[0], {x: en, y: cs});
  t.deepEqual(pair.counts, {x: tokens, y: tokens});
  t.true(pair.layers[1]!.x.every((value, i) => Math.abs(value - en[i]!) <= Math.abs(en[i]!) / 128));
  const {lacByLayer, source, target} = alignPair({...pair, seed: 0, draws: 20});
  t.deepEqual([source, target, lacByLayer.length], ['en', 'cs', 2]);
  t.true(lacByLayer[0]! > 0.3);
});

test('languages alone, without layers', async (t) => {
  const path = await file(t, {en: ['float32', shape, en], 'zh-Hant': ['float32', shape, cs]});
  const embeddings = await readEmbeddings(path);
  const pair = embeddings.pair('zh-Hant', 'en');
  t.deepEqual(pair.layers, [{x: cs, y: en}]);
  t.is(pair.counts, undefined);
  t.throws(() => embeddings.pair('en', 'cs'), {
    code: 'ERR_ARGUMENT',
    message: /has no language cs; it has en, zh-Hant/,
  });
});

for (const [title, tensors, message] of [
  ['one language', {'en.0': ['float32', shape, en]}, /at least two languages.*there is en\.0/],
  [
    'a hidden state that is missing',
    {'en.0': ['float32', shape, en], 'cs.1': ['float32', shape, cs]},
    /cs lacks hidden state 0: cs\.0/,
  ],
  [
    'unequal numbers of hidden states',
    {'en.0': ['float32', shape, en], 'cs.0': ['float32', shape, cs], 'cs.1': ['float32', shape, cs]},
    /all languages must have the same hidden states/,
  ],
  [
    'other sentences',
    {en: ['float32', shape, en], cs: ['float32', [20, 6], cs.slice(0, 120)]},
    /en must be \[sentences, features\] like cs \[20, 6\]; it is \[40, 6\]/,
  ],
  [
    'integers for vectors',
    {en: ['float32', shape, en], cs: ['int32', shape, new Int32Array(240)]},
    /cs must be float32, bfloat16 or float16; it is int32/,
  ],
  [
    'counts of other sentences',
    {en: ['float32', shape, en], cs: ['float32', shape, cs], 'en.tokens': ['int32', [3], new Int32Array(3)]},
    /en\.tokens must be int32 or int64 \[40\]; it is int32 \[3\]/,
  ],
] satisfies [string, Tensors, RegExp][])
  test(`a file with ${title} is refused`, async (t) => {
    const path = await file(t, tensors);
    const error = await t.throwsAsync(readEmbeddings(path), {code: 'ERR_FORMAT'});
    t.true(error.message.startsWith(path));
    t.regex(error.message, message);
  });
