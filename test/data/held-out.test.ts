import test, {type ExecutionContext} from 'ava';
import {prepareData, type HeldOutBatch, type PreparedData} from '../../lib/data/index.js';
import {configIn, documents, folderWith, sentence, sentences, smallConfig} from './corpora.js';

/** English documents of which the longest have several contexts of 64 tokens, half of them held out. */
async function prepare(t: ExecutionContext): Promise<PreparedData> {
  const lengths = [1, 2, 3, 10, 40, 1, 5, 60, 2, 100];
  let n = 0;
  const texts = lengths.map((length) => sentences('en', (n += 200), length).join('\n'));
  const folder = await folderWith(t, {'en.txt': texts.join('\n\n')});
  const yaml = `
data: {monolingual: [{language: en, files: en.txt}], heldOut: {documentShare: 0.5}, filters: {nearDuplicates: off}}
objectives: {recipe: mono}
tokenizer: {vocabSize: 320}
model: {context: 64}`;
  return prepareData(configIn(folder, yaml));
}

/** The tokens that are predicted with weight, in order. */
function counted(batches: readonly HeldOutBatch[]): number[] {
  return batches.flatMap(({batch: {targets, weights}}) => [...targets].filter((_, i) => weights[i]! > 0));
}

test('every token of held-out text and <eos> is counted once, in order', async (t) => {
  const {heldOut, tokenizer, report} = await prepare(t);
  const {tokens, bytes, documents: count} = report.languages[0]!.heldOut;
  const expected = counted(heldOut.text('en', {tokensPerBatch: 100_000}));
  t.is(expected.length, tokens + count);
  t.is(expected.filter((token) => token === tokenizer.eos).length, count);
  const ends = [...expected.keys()].filter((i) => expected[i] === tokenizer.eos);
  const texts = await Promise.all(
    ends.map((end, i) => tokenizer.decode(expected.slice((ends[i - 1] ?? -1) + 1, end))),
  );
  t.is(
    texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    bytes,
  );
  t.true(texts.every((text) => /^(\w+( \w+){4}\.\n?)+$/.test(text)));
  for (const tokensPerBatch of [64, 65, 100, 500])
    t.deepEqual(counted(heldOut.text('en', {tokensPerBatch})), expected);
});

test('bytes of the batches add up, and no counted batch is without', async (t) => {
  const {heldOut, report} = await prepare(t);
  for (const tokensPerBatch of [64, 100, 100_000]) {
    const batches = heldOut.text('en', {tokensPerBatch});
    t.is(
      batches.reduce((sum, {bytes}) => sum + bytes, 0),
      report.languages[0]!.heldOut.bytes,
    );
    t.true(batches.every(({bytes}) => bytes > 0));
  }
});

test('segments keep to the context, and half of each longer document is repeated as context', async (t) => {
  const {heldOut, tokenizer} = await prepare(t);
  const [{batch}] = heldOut.text('en', {tokensPerBatch: 100_000}) as [HeldOutBatch];
  const {segmentStarts, tokens, weights} = batch;
  let repeated = 0;
  for (let s = 0; s + 1 < segmentStarts.length; s++) {
    const [start, end] = [segmentStarts[s]!, segmentStarts[s + 1]!];
    t.true(end - start <= 64);
    t.deepEqual([...tokens.subarray(start, start + 2)], [tokenizer.bos, tokenizer.language('en')]);
    // A window is 61 tokens; 30 of them are new, so 31 are repeated.
    const first = weights.subarray(start, end).findIndex((weight) => weight > 0);
    if (first === 1) continue;
    t.is(first, 1 + 31);
    t.deepEqual(
      [...tokens.subarray(start + 2, start + 2 + 31)],
      [...tokens.subarray(segmentStarts[s - 1]! + 32, segmentStarts[s - 1]! + 63)],
    );
    repeated++;
  }
  t.true(repeated > 5);
});

test('a limit takes whole documents from the first on, and one at least', async (t) => {
  const {heldOut, tokenizer} = await prepare(t);
  const all = counted(heldOut.text('en', {tokensPerBatch: 512}));
  const first = all.indexOf(tokenizer.eos) + 1;
  t.deepEqual(counted(heldOut.text('en', {tokensPerBatch: 512, textTokens: 1})), all.slice(0, first));
  const some = counted(heldOut.text('en', {tokensPerBatch: 512, textTokens: first + 1}));
  t.deepEqual(some, all.slice(0, some.length));
  t.is(some.at(-1), tokenizer.eos);
});

test('held-out text is nowhere in training text', async (t) => {
  const {heldOut, shards, tokenizer} = await prepare(t);
  const {shard} = shards.texts[0]!;
  const training = new Set<string>();
  for (let i = 0; i < shard.texts; i++)
    for (const line of (await tokenizer.decode(shard.text(i))).split('\n')) training.add(line);
  const text = await tokenizer.decode(counted(heldOut.text('en', {tokensPerBatch: 512})));
  t.true(training.size > 50);
  t.false(text.split(/(?<=\.)\n?/).some((line) => training.has(line)));
});

test('a language without held-out text is refused', async (t) => {
  const folder = await folderWith(t, {
    'en.txt': documents(sentences('en', 0, 30)),
    'cs.txt': sentence('cs', 0),
  });
  const yaml =
    'data: {monolingual: [{language: en, files: en.txt}, {language: cs, files: cs.txt}]}\nobjectives: {recipe: mono}\ntokenizer: {vocabSize: 300}';
  const {heldOut} = await prepareData(configIn(folder, yaml));
  t.deepEqual(heldOut.languages, ['en']);
  t.throws(() => heldOut.text('cs', {tokensPerBatch: 512}), {
    code: 'ERR_ARGUMENT',
    message: 'no text of cs is held out; there is text of en',
  });
});

test('a batch below the context is refused', async (t) => {
  const {heldOut} = await prepareData(await smallConfig(t));
  t.throws(() => heldOut.text('en', {tokensPerBatch: 63}), {
    code: 'ERR_ARGUMENT',
    message: 'tokensPerBatch must be 64 or more, so that the longest segment fits; got 63',
  });
});

test('the first held-out pairs of several languages are translations of the same sentences', async (t) => {
  const rows = Array.from({length: 100}, (_, i) => i);
  const folder = await folderWith(t, {
    'a.tsv': rows.map((i) => `${sentence('en', i)}\t${sentence('cs', i)}\n`).join(''),
    'b.tsv': [...rows]
      .reverse()
      .map((i) => `${sentence('uk', i)}\t${sentence('en', i)}\n`)
      .join(''),
  });
  const yaml = `
data:
  parallel: [{source: en, target: cs, file: a.tsv}, {source: uk, target: en, file: b.tsv}]
  heldOut: {pairs: 20}
tokenizer: {vocabSize: 320}`;
  const [czech, ukrainian] = (await prepareData(configIn(folder, yaml))).heldOut.pairs;
  t.is(czech?.sources.length, 20);
  t.deepEqual(ukrainian?.targets, czech?.sources);
  t.notDeepEqual(
    czech?.sources,
    [...czech!.sources].sort((a, b) => (a < b ? -1 : 1)),
  );
});
