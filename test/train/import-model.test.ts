import {mkdir, readdir, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {readSafetensors} from '../../lib/formats/index.js';
import type {DecoderShape} from '../../lib/nn/index.js';
import {exportModel, importModel, loadModel} from '../../lib/train/index.js';
import {addedToken, withoutControls, type TokenizerFile} from '../data/foreign-tokenizers.js';
import {editJson, editTensors, hfModel, logitsOf, smallModel} from '../formats/hf/models.js';
import {collect, only, tinyConfig, writeCorpus} from './tiny-run.js';
import {temporaryFolder} from '../formats/folder.js';

const embedding = 'model.embed_tokens.weight';

async function floatsIn(file: string, name: string): Promise<Float32Array> {
  return new Float32Array((await (await readSafetensors(file)).read(name)).buffer);
}

for (const dtype of ['float32', 'bfloat16', 'float16'] as const)
  for (const tiedHead of [true, false])
    test(`what is exported and imported is equal to the bit: ${dtype}, ${tiedHead ? 'tied' : 'own'} head`, async (t) => {
      const {folder, checkpoint} = await smallModel(t, {tiedHead}, dtype);
      await exportModel(checkpoint, join(folder, 'hf'), {maxShardBytes: 10_000});
      const {droppedRows, addedTokens, freshRows} = await importModel(
        join(folder, 'hf'),
        join(folder, 'imported'),
        {languages: []},
      );
      t.deepEqual([droppedRows, addedTokens, freshRows], [0, 0, 0]);
      for (const name of ['model.safetensors', 'tokenizer.json'])
        t.true(
          (await readFile(join(folder, 'imported', name))).equals(await readFile(join(checkpoint, name))),
          name,
        );
      using before = await loadModel(checkpoint, {device: 'cpu'});
      using after = await loadModel(join(folder, 'imported'), {device: 'cpu'});
      t.deepEqual(after.decoder.shape, before.decoder.shape);
      t.deepEqual([after.step, after.config.dtype, after.tokenizer.languages], [0, dtype, ['cs', 'en']]);
    });

test('weights are read into any dtype, and written in any', async (t) => {
  const {folder, checkpoint} = await smallModel(t);
  await exportModel(checkpoint, join(folder, 'half'), {dtype: 'bfloat16'});
  await importModel(join(folder, 'half'), join(folder, 'wide'), {languages: [], dtype: 'float32'});
  const [exact, rounded] = await Promise.all(
    [checkpoint, join(folder, 'wide')].map((each) => floatsIn(join(each, 'model.safetensors'), embedding)),
  );
  t.true(exact!.every((value, i) => Math.abs(value - rounded![i]!) <= Math.abs(value) * 2 ** -8));
  t.false(exact!.every((value, i) => value === rounded![i]!));
  const {config} = await importModel(join(folder, 'half'), join(folder, 'as-stored'), {languages: []});
  t.is(config.dtype, 'bfloat16');
  const {config: other} = await importModel(join(folder, 'half'), join(folder, 'float16'), {
    languages: [],
    dtype: 'float16',
  });
  t.is(other.dtype, 'float16');
});

test('values that float16 cannot hold are refused, and nothing is left', async (t) => {
  const {hf, folder, decoder} = await hfModel(t);
  const {features} = decoder.shape;
  const data = new Uint8Array(Float32Array.from({length: features}, () => 1e5).buffer);
  await editTensors(join(hf, 'model.safetensors'), {
    'model.norm.weight': {dtype: 'float32', shape: [features], data},
  });
  await t.throwsAsync(importModel(hf, join(folder, 'imported'), {languages: [], dtype: 'float16'}), {
    code: 'ERR_FORMAT',
    message: 'model.norm.weight has values that float16 cannot hold; choose bfloat16 or float32',
  });
  t.deepEqual((await readdir(folder)).sort(), ['checkpoint', 'hf', 'tokenizer.json']);
});

/** A model without control tokens: its words have the rows that they had, from 0. */
async function stripped(hf: string, shape: DecoderShape): Promise<{controls: number; words: number}> {
  const file = join(hf, 'tokenizer.json');
  const content = JSON.parse(await readFile(file, 'utf8')) as TokenizerFile;
  const controls = content.added_tokens.length;
  await writeFile(file, JSON.stringify(withoutControls(content)));
  const words = shape.vocabSize - controls;
  const table = (await floatsIn(join(hf, 'model.safetensors'), embedding)).slice(controls * shape.features);
  await editTensors(join(hf, 'model.safetensors'), {
    [embedding]: {dtype: 'float32', shape: [words, shape.features], data: new Uint8Array(table.buffer)},
  });
  await editJson(join(hf, 'config.json'), {vocab_size: words, bos_token_id: null, eos_token_id: null});
  return {controls, words};
}

test('a model without control tokens gets them, says of text what it said, and trains on', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const short = ['evaluation.pairs=0', 'evaluation.samples=0', 'training.steps=12'];
  await collect(tinyConfig(folder, short, 'first'));
  const [hf, imported] = [join(folder, 'hf'), join(folder, 'imported')];
  await exportModel(join(folder, 'first'), hf);
  using before = await loadModel(join(folder, 'first'), {device: 'cpu'});
  const {features, vocabSize} = before.decoder.shape;
  const {controls, words} = await stripped(hf, before.decoder.shape);
  t.like(await importModel(hf, imported, {languages: ['en', 'cs']}), {
    addedTokens: 5,
    freshRows: 5,
    vocabSize,
  });

  // New rows are the mean of the others.
  const rows = await floatsIn(join(imported, 'model.safetensors'), embedding);
  for (let d = 0; d < features; d++) {
    let sum = 0;
    for (let row = 0; row < words; row++) sum += rows[row * features + d]!;
    for (let row = words; row < vocabSize; row++) t.is(rows[row * features + d], Math.fround(sum / words));
  }

  // Logits of words, after words, are what they were.
  using after = await loadModel(imported, {device: 'cpu'});
  const ids = [...(await before.tokenizer.encode('house and small tree sees river.'))];
  const moved = ids.map((id) => id - controls);
  t.deepEqual([...(await after.tokenizer.encode('house and small tree sees river.'))], moved);
  const [old, now] = [await logitsOf(before.decoder, ids), await logitsOf(after.decoder, moved)];
  for (let row = 0; row < ids.length; row++)
    t.deepEqual(
      now.slice(row * vocabSize, row * vocabSize + words),
      old.slice(row * vocabSize + controls, (row + 1) * vocabSize),
    );

  const further = [
    `training.from=${imported}`,
    `tokenizer.file=${join(imported, 'tokenizer.json')}`,
    'training.steps=3',
    'training.warmupSteps=1',
    'evaluation.pairs=0',
    'evaluation.samples=0',
  ];
  const events = await collect(tinyConfig(folder, further, 'second'));
  const losses = only(events, 'step').map(({loss}) => loss);
  t.is(losses.length, 3);
  t.true(losses.every(Number.isFinite));
  const [atStart] = only(events, 'evaluation');
  // From seeded weights it is ln(320) / ln(2) bits a token; these knew the text.
  t.true(atStart!.perplexity.every(({perplexity}) => perplexity < 200));
  t.deepEqual(
    only(events, 'warning').map(({message}) => message),
    ['the weights of training.from were trained on other data: what is held out here may be among it'],
  );
  await exportModel(join(folder, 'second'), join(folder, 'out'));
  t.like(JSON.parse(await readFile(join(folder, 'out', 'tokenizer_config.json'), 'utf8')), {
    bos_token: '<bos>',
    eos_token: '<eos>',
  });
});

/** A model whose last six tokens are not words: two of its own, then four that are set aside. */
async function withReserved(t: Parameters<typeof hfModel>[0], norms: readonly number[]) {
  const model = await hfModel(t, {tiedHead: false});
  const {shape} = model.decoder;
  const {words, controls} = await stripped(model.hf, shape);
  const {features} = shape;
  const tokens = [
    '<s>',
    '</s>',
    '<unk>',
    '<|reserved_special_token_0|>',
    '<|reserved_special_token_1|>',
    '<|reserved_special_token_2|>',
  ];
  await editJson(join(model.hf, 'tokenizer.json'), {
    added_tokens: tokens.map((token, i) => addedToken(words + i, token)),
  });
  await editJson(join(model.hf, 'config.json'), {
    vocab_size: words + 6,
    bos_token_id: words,
    eos_token_id: [words + 1, words + 2],
  });
  const file = join(model.hf, 'model.safetensors');
  const tables = await Promise.all(
    [embedding, 'lm_head.weight'].map(async (name) => {
      const old = (await floatsIn(file, name)).slice(name === embedding ? 0 : controls * features);
      const table = new Float32Array((words + 6) * features);
      table.set(old);
      for (const [i, norm] of norms.entries())
        table.fill(norm / Math.sqrt(features), (words + i) * features, (words + i + 1) * features);
      const shapeNow = [words + 6, features];
      return [name, {dtype: 'float32', shape: shapeNow, data: new Uint8Array(table.buffer)}] as const;
    }),
  );
  await editTensors(file, Object.fromEntries(tables));
  return {...model, words, features};
}

test('reserved tokens serve, rows that nobody trained are set to the mean, and an export keeps what served', async (t) => {
  // The mean norm of the words is 0.4 sqrt(12) = 1.4: the row of the token reserved first was trained, the two others were not.
  const {hf, folder, words, features} = await withReserved(t, [1, 1, 1, 1, 0.01, 0]);
  const imported = join(folder, 'imported');
  const {served, freshRows, addedTokens} = await importModel(hf, imported, {languages: ['en', 'cs']});
  t.deepEqual([freshRows, addedTokens], [2, 0]);
  t.deepEqual(Object.fromEntries(served), {
    '<bos>': '<s>',
    '<eos>': '</s>',
    '<map>': '<|reserved_special_token_0|>',
    '<cs>': '<|reserved_special_token_1|>',
    '<en>': '<|reserved_special_token_2|>',
  });
  for (const name of [embedding, 'lm_head.weight']) {
    const [old, now] = await Promise.all(
      [hf, imported].map((each) => floatsIn(join(each, 'model.safetensors'), name)),
    );
    t.deepEqual(now!.slice(0, (words + 4) * features), old!.slice(0, (words + 4) * features));
    for (let d = 0; d < features; d++) {
      let sum = 0;
      for (let row = 0; row < words + 4; row++) sum += old![row * features + d]!;
      for (const row of [words + 4, words + 5])
        t.is(now![row * features + d], Math.fround(sum / (words + 4)));
    }
  }
  await exportModel(imported, join(folder, 'out'));
  t.deepEqual(
    JSON.parse(await readFile(join(folder, 'out', 'tokenizer.json'), 'utf8')),
    JSON.parse(await readFile(join(hf, 'tokenizer.json'), 'utf8')),
  );
  t.like(JSON.parse(await readFile(join(folder, 'out', 'tokenizer_config.json'), 'utf8')), {
    bos_token: '<s>',
    eos_token: '</s>',
    crossmap_control_tokens: Object.fromEntries(served),
  });
  await importModel(join(folder, 'out'), join(folder, 'again'), {languages: []});
  for (const name of ['model.safetensors', 'tokenizer.json'])
    t.true((await readFile(join(folder, 'again', name))).equals(await readFile(join(imported, name))), name);
});

test('rows that no token has are left out, and tokens without a row get one', async (t) => {
  const {hf, folder, decoder} = await hfModel(t);
  const {vocabSize, features} = decoder.shape;
  const file = join(hf, 'model.safetensors');
  const table = await floatsIn(file, embedding);
  const resize = async (rows: number): Promise<void> => {
    const data = new Float32Array(rows * features);
    data.set(table.subarray(0, data.length));
    await editTensors(file, {
      [embedding]: {dtype: 'float32', shape: [rows, features], data: new Uint8Array(data.buffer)},
    });
    await editJson(join(hf, 'config.json'), {vocab_size: rows});
  };
  await resize(vocabSize + 7);
  t.like(await importModel(hf, join(folder, 'less'), {languages: []}), {
    droppedRows: 7,
    freshRows: 0,
    vocabSize,
  });
  t.deepEqual(await floatsIn(join(folder, 'less', 'model.safetensors'), embedding), table);
  const content = JSON.parse(await readFile(join(hf, 'tokenizer.json'), 'utf8')) as TokenizerFile;
  await resize(vocabSize);
  await editJson(join(hf, 'tokenizer.json'), {
    added_tokens: [...content.added_tokens, addedToken(vocabSize, '<pad>')],
  });
  t.like(await importModel(hf, join(folder, 'more'), {languages: []}), {
    freshRows: 1,
    vocabSize: vocabSize + 1,
  });
  await resize(vocabSize - 1);
  await t.throwsAsync(importModel(hf, join(folder, 'few'), {languages: []}), {
    code: 'ERR_FORMAT',
    message: /has words up to the id \d+, where the model has \d+ rows/,
  });
});

test('superfluous tensors of old models are passed over', async (t) => {
  const {hf, folder, decoder} = await hfModel(t);
  const {vocabSize, features, headDim} = decoder.shape;
  const zeros = (...shape: number[]) => ({
    dtype: 'float32' as const,
    shape,
    data: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
  });
  await editTensors(join(hf, 'model.safetensors'), {
    'model.layers.1.self_attn.rotary_emb.inv_freq': zeros(headDim / 2),
    'lm_head.weight': zeros(vocabSize, features), // tied: the embedding counts
  });
  await importModel(hf, join(folder, 'imported'), {languages: []});
  t.false(
    (await readSafetensors(join(folder, 'imported', 'model.safetensors'))).tensors.has('lm_head.weight'),
  );
});

test('weights that are not those of the configuration are refused by name, and nothing is left', async (t) => {
  const {hf, folder} = await hfModel(t);
  const file = join(hf, 'model.safetensors');
  const whole = await readFile(file);
  const refused = async (message: RegExp): Promise<void> => {
    await t.throwsAsync(importModel(hf, join(folder, 'imported'), {languages: []}), {
      code: 'ERR_FORMAT',
      message,
    });
    t.false((await readdir(folder)).includes('imported'));
    await writeFile(file, whole);
  };
  await editTensors(file, {'model.norm.weight': undefined});
  await refused(/are not those of its config\.json: model\.norm\.weight is missing/);
  await editTensors(file, {'model.norm.weight': {dtype: 'float32', shape: [2], data: new Uint8Array(8)}});
  await refused(/model\.norm\.weight is \[2\], where config\.json makes it \[12\]/);
  await editTensors(file, {'model.norm.weight': {dtype: 'int32', shape: [12], data: new Uint8Array(48)}});
  await refused(/model\.norm\.weight is int32; float32, bfloat16 or float16 is needed/);
  await editTensors(file, {
    'model.layers.0.self_attn.q_proj.bias': {dtype: 'float32', shape: [24], data: new Uint8Array(96)},
  });
  await refused(/q_proj\.bias has no place in a decoder without biases/);
  await truncate(file, whole.length - 1);
  await refused(/is cut off/);
  await editJson(join(hf, 'config.json'), {num_hidden_layers: 400});
  await refused(/model\.layers\.2\..* is missing; .*; and \d+ more/);
});

test('an output that is there stays, unless --force replaces an earlier import', async (t) => {
  const {hf, folder} = await hfModel(t);
  const output = join(folder, 'imported');
  await mkdir(output);
  await importModel(hf, output, {languages: []});
  await t.throwsAsync(importModel(hf, output, {languages: []}), {
    code: 'ERR_ARGUMENT',
    message: /imported is there already; name another folder, or replace it with --force/,
  });
  await importModel(hf, output, {languages: ['de'], force: true});
  using model = await loadModel(output, {device: 'cpu'});
  t.deepEqual(model.tokenizer.languages, ['cs', 'de', 'en']);
  await writeFile(join(output, 'notes.txt'), 'mine');
  await t.throwsAsync(importModel(hf, output, {languages: [], force: true}), {
    code: 'ERR_ARGUMENT',
    message: /has notes\.txt, which is no file of such a model: it is not replaced/,
  });
  await t.throwsAsync(importModel(hf, join(output, 'notes.txt'), {languages: []}), {
    code: 'ERR_ARGUMENT',
    message: /notes\.txt is a file/,
  });
  t.is(await readFile(join(output, 'notes.txt'), 'utf8'), 'mine');
});

test('a folder that is no model, languages that are missing and a context out of range are refused', async (t) => {
  const {hf, folder, decoder} = await hfModel(t);
  const output = join(folder, 'imported');
  await t.throwsAsync(importModel(join(folder, 'none'), output, {languages: []}), {
    code: 'ERR_FORMAT',
    message: /none does not exist; the folder of a Hugging Face model is needed/,
  });
  await t.throwsAsync(importModel(folder, output, {languages: []}), {
    code: 'ERR_FORMAT',
    message: /has no config\.json/,
  });
  for (const context of [7, 65])
    await t.throwsAsync(importModel(hf, output, {languages: [], context}), {
      code: 'ERR_ARGUMENT',
      message: new RegExp(`must be 8 to what the model was made for \\(64 tokens\\); got ${context}`),
    });
  t.is((await importModel(hf, output, {languages: [], context: 32})).config.model.context, 32);
  await stripped(hf, decoder.shape);
  await t.throwsAsync(importModel(hf, join(folder, 'other'), {languages: []}), {
    code: 'ERR_ARGUMENT',
    message: /has no control token of a language; name the languages of the model/,
  });
});

test('an export refuses a window on some layers alone, and tells of what versions of transformers disagree on', async (t) => {
  const {checkpoint, folder} = await smallModel(t, {slidingWindow: {size: 4, layers: [2]}});
  await t.throwsAsync(exportModel(checkpoint, join(folder, 'hf')), {
    code: 'ERR_FORMAT',
    message: /^the model has a sliding window on some layers alone/,
  });
  t.false((await readdir(folder)).includes('hf'));
  const yarn = {type: 'yarn', factor: 4, originalContext: 8, betaFast: 4, betaSlow: 0.5} as const;
  const other = await smallModel(t, {features: 10, ropeScaling: yarn});
  const {notes} = await exportModel(other.checkpoint, join(other.folder, 'hf'));
  t.is(notes.length, 2);
  t.regex(notes[0]!, /hidden_size \(10\) that is no multiple of num_attention_heads \(4\)/);
  t.regex(notes[1]!, /\(64 \/ 8\) for the factor of yarn \(4\)/);
});

test('the work tells its share, and leaves nothing where it is stopped', async (t) => {
  const {hf, folder, checkpoint} = await hfModel(t);
  const shares: number[] = [];
  await importModel(hf, join(folder, 'whole'), {languages: [], onProgress: (done) => shares.push(done)});
  t.true(shares.every((share, i) => share > (shares[i - 1] ?? 0)));
  t.true(Math.abs(shares.at(-1)! - 1) < 1e-9);
  const there = (await readdir(folder)).sort();
  for (const work of [importModel.bind(undefined, hf), exportModel.bind(undefined, checkpoint)]) {
    const controller = new AbortController();
    const stopped = work(join(folder, 'stopped'), {
      languages: [],
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await t.throwsAsync(stopped, {code: 'ERR_ABORTED'});
    t.deepEqual((await readdir(folder)).sort(), there);
  }
});
