import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {
  adaptTokenizer,
  loadTokenizer,
  plainTokenizer,
  readTokenizerJson,
  trainTokenizer,
  type AdaptOptions,
  type Tokenizer,
} from '../../lib/data/index.js';
import {createDocumentEncoder} from '../../lib/data/shards/encode.js';
import {temporaryFolder} from '../formats/folder.js';
import {
  addedToken,
  sentencePieceTokenizer,
  withoutControls,
  type TokenizerFile,
} from './foreign-tokenizers.js';

/** 44 words, ids from 0; no tokens beside them. */
async function ours(t: ExecutionContext): Promise<TokenizerFile> {
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  await trainTokenizer(['the house and the tree'], {vocabSize: 300, languages: ['en'], file});
  return withoutControls((await readTokenizerJson(file)) as TokenizerFile);
}

async function opened(
  t: ExecutionContext,
  content: TokenizerFile,
  options: AdaptOptions,
): Promise<{tokenizer: Tokenizer; adapted: ReturnType<typeof adaptTokenizer>; file: string}> {
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  const adapted = adaptTokenizer(content, 'given.json', options);
  await writeFile(file, adapted.json);
  return {tokenizer: await loadTokenizer(file), adapted, file};
}

/** The vocabulary, then tokens as Llama 3 has them. */
async function likeLlama3(
  t: ExecutionContext,
  reserved: number,
): Promise<{content: TokenizerFile; words: number}> {
  const content = await ours(t);
  const words = Object.keys(content.model.vocab).length;
  const names = ['<|begin_of_text|>', '<|end_of_text|>', '<|reserved_special_token_0|>', '<|eom_id|>'];
  for (let n = 1; n < reserved; n++) names.push(`<|reserved_special_token_${n}|>`);
  content.added_tokens = names.map((name, i) => addedToken(words + i, name));
  return {content, words};
}

test('reserved tokens serve as control tokens, in the order of their ids', async (t) => {
  const {content, words} = await likeLlama3(t, 4);
  const {tokenizer, adapted} = await opened(t, content, {
    languages: ['en', 'cs', 'en'],
    bos: words,
    eos: words + 1,
  });
  t.deepEqual(tokenizer.languages, ['cs', 'en']);
  t.deepEqual(
    [tokenizer.bos, tokenizer.eos, tokenizer.map, tokenizer.language('cs'), tokenizer.language('en')],
    [0, 1, 2, 4, 5].map((place) => words + place),
  );
  t.is(tokenizer.vocabSize, words + 7);
  t.deepEqual(
    [adapted.vocabSize, adapted.reserved, adapted.added],
    [words + 7, [2, 4, 5].map((place) => words + place), []],
  );
  t.deepEqual(Object.fromEntries(adapted.served), {
    '<bos>': '<|begin_of_text|>',
    '<eos>': '<|end_of_text|>',
    '<map>': '<|reserved_special_token_0|>',
    '<cs>': '<|reserved_special_token_1|>',
    '<en>': '<|reserved_special_token_2|>',
  });
  const spelt = 'the <map> <|begin_of_text|> <en>';
  const ids = await tokenizer.encode(spelt);
  t.true(ids.every((id) => id < words));
  t.is(await tokenizer.decode([tokenizer.bos, words + 3, ...ids, tokenizer.map]), spelt);
});

test('control tokens are added where too few are reserved, behind the last token', async (t) => {
  const {content, words} = await likeLlama3(t, 2);
  const {tokenizer, adapted} = await opened(t, content, {
    languages: ['en', 'cs'],
    bos: words,
    eos: words + 1,
  });
  t.deepEqual(
    [tokenizer.map, tokenizer.language('cs'), tokenizer.language('en')],
    [5, 6, 7].map((n) => words + n),
  );
  t.deepEqual([adapted.reserved, adapted.added], [[], [5, 6, 7].map((n) => words + n)]);
  t.deepEqual([adapted.vocabSize, tokenizer.vocabSize], [words + 8, words + 8]);
});

test('without tokens of its own, or with an id that it lacks, all control tokens are added', async (t) => {
  const content = await ours(t);
  const words = Object.keys(content.model.vocab).length;
  const {tokenizer, adapted} = await opened(t, content, {languages: ['en'], bos: 3, eos: 10_000});
  t.deepEqual([tokenizer.bos, tokenizer.eos, tokenizer.map], [words, words + 1, words + 2]);
  t.is(adapted.served.size, 0);
});

test('what is taken away again is the tokenizer as it was, and tells what served', async (t) => {
  const {content, words} = await likeLlama3(t, 3);
  const {file, adapted} = await opened(t, content, {languages: ['en'], bos: words, eos: words + 1});
  const plain = plainTokenizer(await readTokenizerJson(file), file);
  t.deepEqual(JSON.parse(plain.json), content);
  t.deepEqual(plain.served, adapted.served);
  t.is(plain.tokens.get(words), '<|begin_of_text|>');
  // Told what served, the tokenizer gets the same control tokens, and none of them is new.
  const again = adaptTokenizer(JSON.parse(plain.json), file, {
    languages: [],
    served: Object.fromEntries(plain.served),
  });
  t.is(again.json, adapted.json);
  t.deepEqual([again.reserved, again.added, again.languages], [[], [], ['en']]);
});

test('one of ours needs nothing', async (t) => {
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  await trainTokenizer(['the house and the tree'], {vocabSize: 300, languages: ['en', 'cs'], file});
  const content = await readTokenizerJson(file);
  const {json, added, reserved, languages} = adaptTokenizer(content, file, {languages: []});
  t.deepEqual(JSON.parse(json), content);
  t.deepEqual([added, reserved, languages], [[], [], ['cs', 'en']]);
  t.deepEqual(adaptTokenizer(content, file, {languages: ['de']}).added.length, 1);
});

test('a tokenizer of SentencePiece works: bytes, the space before a text, and sentences in a document', async (t) => {
  const {tokenizer, adapted} = await opened(t, sentencePieceTokenizer(), {
    languages: ['en', 'cs'],
    bos: 1,
    eos: 2,
  });
  t.deepEqual([tokenizer.bos, tokenizer.eos], [1, 2]);
  t.is(adapted.added.length, 3);
  for (const text of ['the house', ' the  house ', 'dům č. 7 řeka 🏠', '<s> the </s>', 'a\nb', '']) {
    t.is(await tokenizer.decode(await tokenizer.encode(text)), text, JSON.stringify(text));
    t.deepEqual((await tokenizer.encodeAll([text]))[0], await tokenizer.encode(text));
  }
  const house = await tokenizer.encode('the house');
  t.is(house.length, 2);
  t.is(
    await tokenizer.decode([tokenizer.bos, tokenizer.language('en'), ...house, tokenizer.eos]),
    'the house',
  );
  // A sentence is tokenised alike wherever it stands, and one token ends a line.
  const encoder = await createDocumentEncoder(tokenizer);
  const [whole] = await encoder.whole([['the house', 'the house']]);
  t.deepEqual([...whole!.tokens], [...house, 3 + 10, ...house]);
  t.is(await tokenizer.decode(whole!.tokens), 'the house\n the house');
});

test('tokens in angle brackets are no languages, unless they are named as such', async (t) => {
  const content = await ours(t);
  const words = Object.keys(content.model.vocab).length;
  content.added_tokens = ['<think>', '<de>', '<repo_name>', '<unused0>'].map((name, i) =>
    addedToken(words + i, name),
  );
  const {tokenizer, adapted, file} = await opened(t, content, {languages: ['de', 'cs']});
  t.deepEqual(
    [tokenizer.languages, adapted.languages],
    [
      ['cs', 'de'],
      ['cs', 'de'],
    ],
  );
  t.is(tokenizer.language('de'), words + 1);
  t.deepEqual(Object.fromEntries(adapted.served), {'<de>': '<de>'});
  const plain = plainTokenizer(await readTokenizerJson(file), file);
  const added = ['<bos>', '<eos>', '<map>', '<cs>'].map((name, i) => addedToken(words + 4 + i, name));
  t.deepEqual((JSON.parse(plain.json) as TokenizerFile).added_tokens, [...content.added_tokens, ...added]);
  const served = Object.fromEntries(plain.served);
  const again = await opened(t, JSON.parse(plain.json) as TokenizerFile, {languages: ['uk'], served});
  t.deepEqual(again.tokenizer.languages, ['cs', 'de', 'uk']);
  t.is(again.tokenizer.language('uk'), words + 3);
});

test('added tokens that are not special stay text, whatever stands before them', async (t) => {
  const content = await ours(t);
  const words = Object.keys(content.model.vocab).length;
  content.added_tokens = [
    addedToken(words, '<|start|>'),
    addedToken(words + 1, '{{', false),
    addedToken(words + 2, '<|end|>'),
    addedToken(words + 3, '}}', false),
  ];
  const {tokenizer} = await opened(t, content, {languages: ['en'], bos: words, eos: words + 2});
  const ids = await tokenizer.encode('{{ the <|start|> }}');
  t.is(ids[0], words + 1);
  t.is(ids.at(-1), words + 3);
  t.false(ids.includes(words) || ids.includes(words + 2));
  t.is(await tokenizer.decode(ids), '{{ the <|start|> }}');
  t.deepEqual(
    [words, words + 1, words + 2, words + 3].map((id) => tokenizer.isControl(id)),
    [true, false, true, false],
  );
});

test('what cannot be adapted is refused', async (t) => {
  const content = await ours(t);
  const words = Object.keys(content.model.vocab).length;
  t.throws(() => adaptTokenizer(content, 'x.json', {languages: ['map']}), {
    code: 'ERR_ARGUMENT',
    message: /^language map cannot have the control token <map>/,
  });
  t.throws(() => adaptTokenizer({model: {vocab: ['a']}}, 'x.json', {languages: ['en']}), {
    code: 'ERR_DATA',
    message: /^x\.json is no tokenizer\.json that can be read/,
  });
  t.throws(() => adaptTokenizer(null, 'x.json', {languages: ['en']}), {code: 'ERR_DATA'});
  const taken = {...content, model: {...content.model, vocab: {...content.model.vocab, '<map>': words}}};
  t.throws(() => adaptTokenizer(taken, 'x.json', {languages: ['en']}), {
    code: 'ERR_DATA',
    message: 'x.json has the word <map>, which is to be a control token',
  });
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  const gap = {...content, added_tokens: [addedToken(words + 5, '{{', false)]};
  await writeFile(file, adaptTokenizer(gap, 'x.json', {languages: ['en']}).json);
  await t.throwsAsync(loadTokenizer(file), {
    code: 'ERR_DATA',
    message: /gives "\{\{" the id \d+, which leaves ids/,
  });
});
