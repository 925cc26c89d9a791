import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {trainTokenizer, type Tokenizer} from '../../lib/data/index.js';
import {createDocumentEncoder} from '../../lib/data/shards/encode.js';
import {temporaryFolder} from '../formats/folder.js';
import {sentences} from './corpora.js';

async function trained(t: ExecutionContext): Promise<Tokenizer> {
  const texts = [...sentences('cs', 0, 200), ...sentences('zh', 0, 200)];
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  return trainTokenizer(texts, {vocabSize: 340, languages: ['cs', 'zh'], file});
}

test('a whole document is its sentences joined by line ends, as if they had been encoded together', async (t) => {
  const tokenizer = await trained(t);
  const encoder = await createDocumentEncoder(tokenizer);
  const documents = [sentences('cs', 300, 5), sentences('zh', 300, 1), sentences('zh', 10, 7)];
  for (const [i, {tokens, bytes}] of (await encoder.whole(documents)).entries()) {
    const text = documents[i]!.join('\n');
    t.deepEqual(tokens, await tokenizer.encode(text));
    t.is(bytes, Buffer.byteLength(text));
  }
});

test('segments are cut between sentences and as long as they can be', async (t) => {
  const tokenizer = await trained(t);
  const encoder = await createDocumentEncoder(tokenizer);
  const document = sentences('cs', 300, 50);
  const segments = await encoder.inSegments([document, sentences('cs', 1, 2)], 60);
  const texts = await Promise.all(segments.map(({tokens}) => tokenizer.decode(tokens)));
  t.deepEqual(
    texts.slice(0, -1).flatMap((text) => text.split('\n')),
    document,
  );
  t.is(texts.at(-1), sentences('cs', 1, 2).join('\n'));
  segments.forEach(({tokens, bytes}, i) => {
    t.true(tokens.length <= 60);
    t.is(bytes, Buffer.byteLength(texts[i]!));
  });
  // The next sentence would not have fitted.
  for (const [i, {tokens}] of segments.slice(0, -2).entries()) {
    const [next] = texts[i + 1]!.split('\n');
    t.true(tokens.length + 1 + (await tokenizer.encode(next!)).length > 60);
  }
});

for (const [title, text, apart] of [
  ['between words', 'voda a měsíc '.repeat(40).trim(), ' '],
  ['between characters where there are no spaces', '水月亮房子河流𠀀'.repeat(20), ''],
] as const)
  test(`a sentence longer than a segment is cut ${title}`, async (t) => {
    const tokenizer = await trained(t);
    const encoder = await createDocumentEncoder(tokenizer);
    const segments = await encoder.inSegments([[text]], 20);
    const texts = await Promise.all(segments.map(({tokens}) => tokenizer.decode(tokens)));
    t.true(segments.length > 3 && segments.every(({tokens}) => tokens.length <= 20));
    t.is(texts.flatMap((part) => part.split('\n')).join(apart), text);
  });
