import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {
  sentenceBatches,
  textPrompt,
  trainTokenizer,
  translationPrompt,
  type Tokenizer,
} from '../../lib/data/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {sentences} from './corpora.js';

async function trained(t: ExecutionContext): Promise<Tokenizer> {
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  return trainTokenizer(sentences('cs', 0, 100), {vocabSize: 300, languages: ['cs', 'en'], file});
}

test('a prompt is <bos>, the language and the cleaned text', async (t) => {
  const tokenizer = await trained(t);
  const ids = await textPrompt(tokenizer, 'cs', ' voda  <eos> ');
  t.deepEqual([...ids.subarray(0, 2)], [tokenizer.bos, tokenizer.language('cs')]);
  t.is(await tokenizer.decode(ids), 'voda <eos>');
  t.is([...ids].filter(tokenizer.isControl).length, 2);
});

test('a translation prompt ends with <map> and the target language', async (t) => {
  const tokenizer = await trained(t);
  const ids = await translationPrompt(tokenizer, {source: 'cs', target: 'en', text: 'voda'});
  t.deepEqual(
    [...ids],
    [...(await textPrompt(tokenizer, 'cs', 'voda')), tokenizer.map, tokenizer.language('en')],
  );
});

test('a prompt in an unknown language is refused', async (t) => {
  const tokenizer = await trained(t);
  await t.throwsAsync(textPrompt(tokenizer, 'zh', 'x'), {code: 'ERR_ARGUMENT'});
  await t.throwsAsync(translationPrompt(tokenizer, {source: 'cs', target: 'zh', text: 'x'}), {
    code: 'ERR_ARGUMENT',
  });
});

test('sentences are packed in order, their spans without control tokens', async (t) => {
  const tokenizer = await trained(t);
  const texts = sentences('cs', 500, 40);
  const options = {tokensPerBatch: 120, context: 64, prefix: false};
  const batches = await sentenceBatches(tokenizer, {language: 'cs', texts}, options);
  t.true(batches.length > 1);
  const spelled: string[] = [];
  for (const {batch, starts, ends} of batches) {
    t.true(batch.tokens.length <= 120);
    t.true(batch.targets.every((target) => target === -1));
    t.true(batch.weights.every((weight) => weight === 0));
    t.true(batch.prefixLengths.every((length) => length === 0));
    for (let i = 0; i < starts.length; i++) {
      t.is(starts[i], batch.segmentStarts[i]! + 2);
      const span = batch.tokens.subarray(starts[i], ends[i]);
      t.false(span.some(tokenizer.isControl));
      spelled.push(await tokenizer.decode(span));
    }
  }
  t.deepEqual(spelled, texts);
});

test('with prefix, a sentence is all prefix', async (t) => {
  const tokenizer = await trained(t);
  const options = {tokensPerBatch: 64, context: 64, prefix: true};
  const [{batch}] = (await sentenceBatches(
    tokenizer,
    {language: 'cs', texts: ['voda', 'dům a řeka']},
    options,
  )) as [Awaited<ReturnType<typeof sentenceBatches>>[0]];
  const [first, second, end] = batch.segmentStarts;
  t.deepEqual([...batch.prefixLengths], [second! - first!, end! - second!]);
});

test('a sentence longer than the context is cut', async (t) => {
  const tokenizer = await trained(t);
  const options = {tokensPerBatch: 10, context: 10, prefix: false};
  const [{starts, ends}] = (await sentenceBatches(
    tokenizer,
    {language: 'cs', texts: ['a'.repeat(50)]},
    options,
  )) as [Awaited<ReturnType<typeof sentenceBatches>>[0]];
  t.deepEqual([...starts, ...ends], [2, 10]);
});

test('no sentences are no batches', async (t) => {
  const options = {tokensPerBatch: 10, context: 10, prefix: false};
  t.deepEqual(await sentenceBatches(await trained(t), {language: 'cs', texts: []}, options), []);
});

for (const context of [2, 11])
  test(`a context of ${context} in batches of 10 is refused`, async (t) => {
    const options = {tokensPerBatch: 10, context, prefix: false};
    await t.throwsAsync(sentenceBatches(await trained(t), {language: 'cs', texts: ['a']}, options), {
      code: 'ERR_ARGUMENT',
      message: `sentenceBatches: context must be 3 to tokensPerBatch (10); got ${context}`,
    });
  });
