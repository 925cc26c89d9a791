/** From mapped token files to packed batches, on one core: must be far above what training takes (some thousand tokens/s). */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseConfig} from '../../lib/config/index.js';
import type {Tokenizer} from '../../lib/data/index.js';
import {createBreather} from '../../lib/data/pace.js';
import {planMixture, type TrainingShards} from '../../lib/data/sampling/mixture.js';
import {createBatchStream, type BatchStream} from '../../lib/data/sampling/stream.js';
import {createShard, openShard, type Shard} from '../../lib/data/shards/shard.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {sized} from '../support/quick.js';

const languages = ['ar', 'cs', 'en', 'hi', 'ta', 'uk', 'vi', 'zh'];
const vocabSize = 8192;
const texts = sized(20_000, 400);

/** Only ids are needed: text is tokenised long before. */
const tokenizer: Tokenizer = {
  vocabSize,
  bos: 0,
  eos: 1,
  map: 2,
  languages,
  file: '',
  language: (code) => 3 + languages.indexOf(code),
  isControl: (id) => id < 3 + languages.length,
  encode: () => Promise.resolve(new Int32Array()),
  encodeAll: () => Promise.resolve([]),
  decode: () => Promise.resolve(''),
};

/** Texts of 8 to 8 + spread tokens. */
async function writeShard(path: string, spread: number): Promise<Shard> {
  const writer = await createShard(path, vocabSize);
  for (let i = 0; i < texts; i++) {
    const length = 8 + ((i * 7919) % spread);
    writer.add({
      tokens: Int32Array.from({length}, (_, at) => 20 + ((i + at) % 8000)),
      bytes: 4 * length,
      textId: i,
    });
    await writer.drain();
  }
  await writer.finish();
  await writer.close();
  return openShard(path, createBreather(undefined));
}

async function openStream(folder: string, tokensPerBatch: number): Promise<BatchStream> {
  const shards: TrainingShards = {
    texts: await Promise.all(
      languages.map(async (language) => ({language, shard: await writeShard(join(folder, language), 240)})),
    ),
    pairs: await Promise.all(
      languages
        .filter((language) => language !== 'en')
        .map(async (target) => ({
          source: 'en',
          target,
          shard: await writeShard(join(folder, `en-${target}`), 48),
        })),
    ),
  };
  const config = parseConfig(`
data:
  monolingual: [{language: en, files: unread}, {language: cs, files: unread}]
  parallel: [{source: en, target: cs, file: unread}]
training: {steps: 1000000, tokensPerBatch: ${tokensPerBatch}}
model: {context: 256}`);
  return createBatchStream({data: 'bench', mixture: planMixture(shards, config), tokenizer, config});
}

const folder = mkdtempSync(join(tmpdir(), 'crossmap-bench-'));
try {
  const cases: BenchCase[] = [];
  for (const tokensPerBatch of [2048, 16384]) {
    const stream = await openStream(mkdtempSync(join(folder, 'shards-')), tokensPerBatch);
    // Batches differ by some tokens: their mean over many is what a run takes.
    const tokens =
      Array.from({length: 200}, () => stream.next().tokens.length).reduce((a, b) => a + b, 0) / 200;
    cases.push({
      title: `batch of ${tokensPerBatch} tokens, 8 languages, 7 pairs`,
      ours: () => void stream.next(),
      tokens,
    });
  }
  await runBench({name: 'data/packer', cases});
} finally {
  rmSync(folder, {recursive: true, force: true});
}
