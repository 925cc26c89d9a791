/**
 * Files that are not what they should be give a CrossmapError, or a model, and take no more memory than they have bytes for.
 * CROSSMAP_FUZZ_RUNS is the number of damaged files for each parser.
 */
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import test, {type ExecutionContext} from 'ava';
import {CrossmapError} from '../../../lib/errors.js';
import {adaptTokenizer, loadTokenizer} from '../../../lib/data/index.js';
import {openTensors} from '../../../lib/formats/index.js';
import {parseHfConfig} from '../../../lib/formats/hf/config.js';
import {readJson} from '../../../lib/formats/model-file.js';
import {importModel} from '../../../lib/train/index.js';
import {sentencePieceTokenizer} from '../../data/foreign-tokenizers.js';
import {temporaryFolder} from '../folder.js';
import {hfModel} from './models.js';

const runs = Number(process.env['CROSSMAP_FUZZ_RUNS'] ?? 150);

/** What is told of files; an argument is at fault where a file takes away the last language. */
const codes: readonly string[] = ['ERR_FORMAT', 'ERR_DATA', 'ERR_IO', 'ERR_ARGUMENT'];

/** What a parser may take beside what chance leaves to the garbage collector. */
const mostMegabytes = 400;

/** Values that are nothing good in any place. */
const hostile = [
  '-1',
  '0',
  '1e999',
  '-1e999',
  'NaN',
  '1.5',
  '9007199254740993',
  '18446744073709551615',
  '4294967296',
  'null',
  'true',
  '""',
  '"\\u0000"',
  '"__proto__"',
  '"constructor"',
  '"../../../etc/passwd.safetensors"',
  '"/dev/zero.safetensors"',
  '[]',
  '{}',
  '{"__proto__":{"a":1}}',
  '[9007199254740991,9007199254740991]',
  '['.repeat(5000),
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  `"${'x'.repeat(70_000)}"`,
];

/** One damage to a text. */
type Damage = (text: string) => string;

const place = fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true});

/** A value or a key, cut to another; a piece taken away, doubled or put elsewhere; an end too soon. */
const damage: fc.Arbitrary<Damage> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(place, fc.constantFrom(...hostile)).map(([where, value]): Damage => (text) => {
      const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*|true|false|null/g)];
      const token = tokens[Math.floor(where * tokens.length)];
      if (token === undefined) return text;
      return text.slice(0, token.index) + value + text.slice(token.index + token[0].length);
    }),
  },
  fc.tuple(place, fc.nat(40)).map(([where, length]): Damage => (text) => {
    const at = Math.floor(where * text.length);
    return text.slice(0, at) + text.slice(at + length);
  }),
  fc.tuple(place, fc.nat(200)).map(([where, length]): Damage => (text) => {
    const at = Math.floor(where * text.length);
    return text.slice(0, at + length) + text.slice(at);
  }),
  fc
    .tuple(place, fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '\0', '\ufeff', 'é'))
    .map(([where, character]): Damage => (text) => {
      const at = Math.floor(where * text.length);
      return text.slice(0, at) + character + text.slice(at + 1);
    }),
  place.map(
    (where): Damage =>
      (text) =>
        text.slice(0, Math.floor(where * text.length)),
  ),
);

/** Runs `parse` on damaged texts. @param write puts the text where it is read */
async function survives(
  t: ExecutionContext,
  text: string,
  parse: (damaged: string) => Promise<unknown>,
): Promise<void> {
  const before = process.memoryUsage().rss;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(damage, {minLength: 1, maxLength: 3}), async (damages) => {
      const damaged = damages.reduce((whole, each) => each(whole), text);
      try {
        await parse(damaged);
      } catch (error) {
        if (!(error instanceof CrossmapError) || !codes.includes(error.code)) throw error;
        refused++;
      }
      return process.memoryUsage().rss - before < mostMegabytes * 2 ** 20;
    }),
    {seed: 7, numRuns: runs},
  );
  t.true(refused > runs / 4, `${refused} of ${runs} refused`);
}

test('config.json', async (t) => {
  const folder = await temporaryFolder(t);
  const text = JSON.stringify({
    architectures: ['MistralForCausalLM'],
    model_type: 'mistral',
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    vocab_size: 500,
    rms_norm_eps: 1e-5,
    rope_theta: 1e4,
    sliding_window: 8,
    eos_token_id: [2, 3],
    tie_word_embeddings: true,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  });
  await survives(t, text, async (damaged) => {
    await writeFile(join(folder, 'config.json'), damaged);
    const file = await readJson(folder, 'config.json', {bytes: 1_000_000, depth: 16});
    return file && parseHfConfig(file);
  });
});

test('the index of shards', async (t) => {
  const {hf} = await hfModel(t, {}, {maxShardBytes: 10_000});
  const file = join(hf, 'model.safetensors.index.json');
  await survives(t, await readFile(file, 'utf8'), async (damaged) => {
    await writeFile(file, damaged);
    return openTensors(hf);
  });
});

test('tokenizer.json', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'tokenizer.json');
  await survives(t, JSON.stringify(sentencePieceTokenizer()), async (damaged) => {
    await writeFile(file, damaged);
    const json = await readJson(folder, 'tokenizer.json', {bytes: 1_000_000, depth: 32});
    await writeFile(file, adaptTokenizer(json?.value, file, {languages: ['en'], bos: 1, eos: 2}).json);
    const tokenizer = await loadTokenizer(file);
    return tokenizer.decode(await tokenizer.encode('the house <s> č'));
  });
});

test('the header of a safetensors file', async (t) => {
  const {hf} = await hfModel(t);
  const file = join(hf, 'model.safetensors');
  const whole = await readFile(file);
  const length = Number(whole.readBigUInt64LE());
  const data = whole.subarray(8 + length);
  await survives(t, whole.toString('utf8', 8, 8 + length), async (damaged) => {
    const header = Buffer.from(damaged);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(header.length));
    await writeFile(file, Buffer.concat([start, header, data]));
    const {tensors, read} = await openTensors(hf);
    for (const name of tensors.keys()) await read(name);
  });
});

test('a whole model with bytes changed in any of its files', async (t) => {
  const {hf, folder} = await hfModel(t, {}, {maxShardBytes: 50_000});
  const names = (await readdir(hf)).sort();
  const whole = await Promise.all(names.map((name) => readFile(join(hf, name))));
  const outputs = await mkdtemp(join(tmpdir(), 'crossmap-fuzz-'));
  t.teardown(() => rm(outputs, {recursive: true, force: true}));
  const change = fc.record({file: fc.nat(names.length - 1), where: place, byte: fc.nat(255)});
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, {minLength: 1, maxLength: 4}), async (changes) => {
      for (const [i, bytes] of whole.entries()) {
        const damaged = Buffer.from(bytes);
        for (const {file, where, byte} of changes)
          if (file === i) damaged[Math.floor(where * Math.min(damaged.length, 4000))] = byte;
        await writeFile(join(hf, names[i]!), damaged);
      }
      const output = join(outputs, String(run++));
      try {
        await importModel(hf, output, {languages: []});
      } catch (error) {
        if (!(error instanceof CrossmapError) || !codes.includes(error.code)) throw error;
        return !(await readdir(outputs)).includes(String(run - 1));
      }
      await rm(output, {recursive: true});
      return true;
    }),
    {seed: 7, numRuns: Math.ceil(runs / 3)},
  );
  t.true((await readdir(outputs)).length === 0 && (await readdir(folder)).length > 0);
});
