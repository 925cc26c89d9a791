import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {createBreather} from '../../lib/data/pace.js';
import {createShard, openShard, type StoredText} from '../../lib/data/shards/shard.js';
import {temporaryFolder} from '../formats/folder.js';

const texts: StoredText[] = [
  {tokens: Int32Array.of(5, 6, 7), bytes: 11, textId: 3},
  {tokens: Int32Array.of(), bytes: 0, textId: 0},
  {tokens: Int32Array.of(299), bytes: 4, textId: 9},
];

async function write(t: ExecutionContext, vocabSize = 300, stored = texts): Promise<string> {
  const path = join(await temporaryFolder(t), 'text.cs.tokens');
  const writer = await createShard(path, vocabSize);
  for (const text of stored) writer.add(text);
  await writer.finish();
  await writer.close();
  return path;
}

const open = (path: string, signal?: AbortSignal) => openShard(path, createBreather(signal));

// Tokens take two bytes up to a vocabulary of 65536.
for (const [vocabSize, tokenBytes] of [
  [300, 2],
  [65536, 2],
  [65537, 4],
] as const)
  test(`a vocabulary of ${vocabSize} is stored in ${tokenBytes} bytes a token and read back`, async (t) => {
    const last = {tokens: Int32Array.of(vocabSize - 1, 0), bytes: 2, textId: 2 ** 32 - 1};
    const shard = await open(await write(t, vocabSize, [...texts, last]));
    t.is(shard.texts, 4);
    t.is(shard.tokens, 6);
    t.is(shard.bytes, 17);
    t.is(shard.text(0).BYTES_PER_ELEMENT, tokenBytes);
    [...texts, last].forEach(({tokens, bytes, textId}, i) => {
      t.deepEqual([...shard.text(i)], [...tokens]);
      t.is(shard.length(i), tokens.length);
      t.is(shard.byteLength(i), bytes);
      t.is(shard.textId(i), textId);
    });
  });

test('a shard without texts is read back', async (t) => {
  const shard = await open(await write(t, 300, []));
  t.is(shard.texts, 0);
  t.is(shard.tokens, 0);
});

test('many texts are written in parts and read back', async (t) => {
  const path = join(await temporaryFolder(t), 'text.cs.tokens');
  const writer = await createShard(path, 70_000);
  const tokens = Int32Array.from({length: 1000}, (_, i) => i);
  // Parts are of 4 MiB: a thousand tokens of four bytes, 2500 times, are more than two.
  for (let i = 0; i < 2500; i++) {
    writer.add({tokens: tokens.map((token) => token + i), bytes: i, textId: i});
    await writer.drain();
  }
  const digest = await writer.finish();
  await writer.close();
  const shard = await open(path);
  t.is(shard.digest, digest);
  for (const i of [0, 1048, 1049, 2499])
    t.deepEqual(
      [...shard.text(i)],
      [...tokens].map((token) => token + i),
    );
});

test('every damaged byte is found, and the file named', async (t) => {
  const path = await write(t);
  const intact = await readFile(path);
  for (let at = 0; at < intact.length; at++) {
    // The rest of the header is filled with zeros that mean nothing.
    if (at >= 96 && at < 128) continue;
    const damaged = Buffer.from(intact);
    damaged[at]! ^= 0x40;
    await writeFile(path, damaged);
    const error = await t.throwsAsync(open(path), {code: 'ERR_FORMAT'}, `byte ${at}`);
    t.true(error.message.startsWith(`${path} is damaged: `), error.message);
  }
});

for (const [title, change, message] of [
  ['an empty file', () => Buffer.alloc(0), /is damaged: it is no token file;/],
  [
    'a truncated file',
    (bytes: Buffer) => bytes.subarray(0, -1),
    /is damaged: it has \d+ bytes instead of \d+;/,
  ],
  [
    'a longer file',
    (bytes: Buffer) => Buffer.concat([bytes, bytes]),
    /is damaged: it has \d+ bytes instead of \d+;/,
  ],
  ['another file', () => Buffer.alloc(500, 'text'), /is damaged: it is no token file;/],
] as const)
  test(`${title} is refused`, async (t) => {
    const path = await write(t);
    await writeFile(path, change(await readFile(path)));
    await t.throwsAsync(open(path), {code: 'ERR_FORMAT', message});
  });

test('another version is refused and named', async (t) => {
  const path = await write(t);
  const bytes = await readFile(path);
  bytes.writeUInt32LE(2, 16);
  await writeFile(path, bytes);
  await t.throwsAsync(open(path), {
    code: 'ERR_FORMAT',
    message: /it has version 2; this program reads version 1;/,
  });
});

test('a shard that was not finished is refused', async (t) => {
  const path = join(await temporaryFolder(t), 'text.cs.tokens');
  const writer = await createShard(path, 300);
  texts.forEach(writer.add);
  await writer.close();
  await t.throwsAsync(open(path), {code: 'ERR_FORMAT'});
});

test('a file that is not there is an error of input and output', async (t) => {
  await t.throwsAsync(open('nowhere/text.cs.tokens'), {code: 'ERR_IO'});
});

test('checking stops when it is told to', async (t) => {
  await t.throwsAsync(open(await write(t), AbortSignal.abort()), {code: 'ERR_ABORTED'});
});
