import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {Tokenizer as Library} from 'tokenizers';
import {loadTokenizer, trainTokenizer, type Tokenizer} from '../../lib/data/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {languages, sentences} from './corpora.js';

const text = languages.flatMap((language) => sentences(language, 0, 200));

async function trained(
  t: ExecutionContext,
  {
    texts = text,
    vocabSize = 600,
    codes = [...languages],
  }: Partial<Record<'texts' | 'codes', string[]> & {vocabSize: number}> = {},
): Promise<Tokenizer> {
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  return trainTokenizer(texts, {vocabSize, languages: codes, file});
}

interface TokenizerFile {
  added_tokens: {id: number; content: string}[];
  pre_tokenizer: unknown;
  model: {vocab: Record<string, number>; merges: [string, string][]};
}

async function contentOf(file: string): Promise<TokenizerFile> {
  return JSON.parse(await readFile(file, 'utf8')) as TokenizerFile;
}

for (const language of languages)
  test(`${language} survives encoding and decoding, known words and unknown ones`, async (t) => {
    const tokenizer = await trained(t, {texts: sentences(language, 0, 300)});
    for (const each of [
      ...sentences(language, 5000, 20),
      ...text.slice(0, 20),
      `${text[700]!}\n${text[3]!} 123456 …`,
    ])
      t.is(await tokenizer.decode(await tokenizer.encode(each)), each);
  });

test('any well-formed text in NFC survives', async (t) => {
  const tokenizer = await trained(t);
  await fc.assert(
    fc.asyncProperty(fc.string({unit: 'binary', maxLength: 40}), async (any) => {
      const normal = any.normalize('NFC');
      return (await tokenizer.decode(await tokenizer.encode(normal))) === normal;
    }),
    {seed: 2, numRuns: 200},
  );
  t.pass();
});

test('the library finds the same merges in the same text', async (t) => {
  const folder = await temporaryFolder(t);
  // A file for each text: the library keeps the ends of lines, which then are parts of words.
  const files = text.map((_, index) => join(folder, `${index}.txt`));
  for (const [index, file] of files.entries()) await writeFile(file, text[index]!);
  const ours = await trained(t, {vocabSize: 256 + 11 + 400});
  const {merges} = (await contentOf(ours.file)).model;
  t.is(merges.length, 400);

  const library = Library.fromFile(ours.file);
  library.train(files);
  library.save(join(folder, 'theirs.json'));
  const theirs = await contentOf(join(folder, 'theirs.json'));
  t.deepEqual(theirs.model.merges.slice(0, 400), merges);
});

test('the file gives the library the same ids', async (t) => {
  const tokenizer = await trained(t);
  const library = Library.fromFile(tokenizer.file);
  for (const each of text.slice(0, 400)) {
    const encoding = await library.encode(each, null, {addSpecialTokens: false});
    t.deepEqual([...(await tokenizer.encode(each))], encoding.getIds());
  }
});

test('the ids are those of the merges, applied in order', async (t) => {
  const tokenizer = await trained(t);
  const {vocab, merges} = (await contentOf(tokenizer.file)).model;
  const ranks = new Map(merges.map((merge, rank) => [merge.join(' '), rank]));
  const character = (byte: number): string =>
    Object.keys(vocab).find((symbol) => vocab[symbol] === tokenizer.vocabSize - merges.length - 256 + byte)!;
  t.is(character(0), '!');
  // A word alone: the text between the spaces that the pre-tokenizer splits at.
  for (const word of ['water', 'voda', 'house', 'stone']) {
    const symbols = word.split('');
    for (;;) {
      const rank = Math.min(
        ...symbols.slice(1).map((right, i) => ranks.get(`${symbols[i]} ${right}`) ?? Infinity),
      );
      if (rank === Infinity) break;
      const at = symbols.findIndex((left, i) => ranks.get(`${left} ${symbols[i + 1]}`) === rank);
      symbols.splice(at, 2, symbols[at]! + symbols[at + 1]!);
    }
    t.deepEqual(
      [...(await tokenizer.encode(word))],
      symbols.map((symbol) => vocab[symbol]!),
    );
  }
});

test('no text becomes a control token', async (t) => {
  const tokenizer = await trained(t, {
    texts: [...text, ...Array<string>(50).fill('a <eos> <bos><map> <cs> b')],
  });
  for (const each of ['<eos>', 'a<bos>b', ' <map> ', '<cs><cs>', 'x <eos>y']) {
    const ids = await tokenizer.encode(each);
    t.deepEqual([...ids].filter(tokenizer.isControl), []);
    t.is(await tokenizer.decode(ids), each);
  }
});

test('control tokens have the first ids, all distinct, and decoding leaves them out', async (t) => {
  const tokenizer = await trained(t, {codes: ['uk', 'cs', 'zh-Hant']});
  t.deepEqual(tokenizer.languages, ['cs', 'uk', 'zh-Hant']);
  const control = [
    tokenizer.bos,
    tokenizer.eos,
    tokenizer.map,
    ...tokenizer.languages.map(tokenizer.language),
  ];
  t.deepEqual(control, [0, 1, 2, 3, 4, 5]);
  t.true(control.every(tokenizer.isControl));
  t.false(tokenizer.isControl(6));
  const ids = await tokenizer.encode('voda a měsíc');
  t.is(await tokenizer.decode([0, 3, ...ids, 2, 4, 1]), 'voda a měsíc');
  t.is(await tokenizer.decode(control), '');
});

test('encoding many texts at once gives what one by one gives', async (t) => {
  const tokenizer = await trained(t);
  // 512 texts go to the library at once.
  const many = Array.from({length: 1030}, (_, i) => (i % 7 === 0 ? '' : text[i % text.length]!));
  const all = await tokenizer.encodeAll(many);
  t.is(all.length, many.length);
  for (const i of [0, 1, 511, 512, 1023, 1024, 1029]) t.deepEqual(all[i], await tokenizer.encode(many[i]!));
});

test('vowel signs stay with their consonants, so a Hindi word can become one token', async (t) => {
  const tokenizer = await trained(t, {texts: Array<string>(20).fill('पानी'), vocabSize: 300, codes: ['hi']});
  t.is((await tokenizer.encode('पानी')).length, 1);
});

test('a text with little to merge gives a smaller vocabulary than asked for', async (t) => {
  const tokenizer = await trained(t, {texts: ['abab', 'abab'], vocabSize: 5000, codes: ['cs']});
  t.is(tokenizer.vocabSize, 256 + 4 + 2); // ab, abab
});

test('a vocabulary of bytes and control tokens alone is enough', async (t) => {
  const tokenizer = await trained(t, {vocabSize: 256 + 4, codes: ['cs']});
  t.is((await tokenizer.encode('řeka')).length, 5);
});

test('reading the file again gives the same tokenizer', async (t) => {
  const tokenizer = await trained(t);
  const again = await loadTokenizer(tokenizer.file);
  t.deepEqual(again.languages, tokenizer.languages);
  t.is(again.vocabSize, tokenizer.vocabSize);
  t.deepEqual(await again.encode(text[0]!), await tokenizer.encode(text[0]!));
});

test('a vocabulary without room for bytes and control tokens is refused', async (t) => {
  await t.throwsAsync(trained(t, {vocabSize: 259, codes: ['cs']}), {
    code: 'ERR_ARGUMENT',
    message: 'tokenizer.vocabSize must be 260 or more: 256 bytes and 4 control tokens; got 259',
  });
});

test('a language named as a control token is refused', async (t) => {
  await t.throwsAsync(trained(t, {codes: ['cs', 'map']}), {
    code: 'ERR_ARGUMENT',
    message: /language map cannot have/,
  });
});

test('a language without a control token is refused', async (t) => {
  const tokenizer = await trained(t, {codes: ['cs', 'uk']});
  t.throws(() => tokenizer.language('zh'), {
    code: 'ERR_ARGUMENT',
    message: 'zh is no language of the tokenizer, which has cs, uk',
  });
});

for (const id of [-1, 0.5, 600])
  test(`decoding refuses the id ${id}`, async (t) => {
    const tokenizer = await trained(t);
    await t.throwsAsync(tokenizer.decode([5, id]), {
      code: 'ERR_ARGUMENT',
      message: `token ids must be 0 to 599; got ${id}`,
    });
  });

for (const [title, content, message] of [
  ['a file that is no JSON', 'x', /is no tokenizer\.json that can be read/],
  ['JSON that is no tokenizer', '{"model": {}}', /is no tokenizer\.json that can be read: [^]*vocab/],
  [
    'a tokenizer that the library refuses',
    '{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "<bos>"}, {"id": 2, "content": "<eos>"}, {"id": 3, "content": "<map>"}, {"id": 4, "content": "<cs>"}]}',
    /is no tokenizer\.json: /,
  ],
  [
    'a tokenizer without the control tokens',
    '{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "<bos>"}]}',
    /lacks the control tokens <eos> <map> <cs>;/,
  ],
] as const)
  test(`${title} is refused`, async (t) => {
    const file = join(await temporaryFolder(t), 'tokenizer.json');
    await writeFile(file, content);
    await t.throwsAsync(loadTokenizer(file, {languages: ['cs']}), {code: 'ERR_DATA', message});
  });

test('a file that is not there is refused', async (t) => {
  await t.throwsAsync(loadTokenizer('nowhere/tokenizer.json'), {
    code: 'ERR_DATA',
    message: /^nowhere\/tokenizer\.json is no tokenizer\.json that can be read: ENOENT/,
  });
});

test('training stops when it is told to', async (t) => {
  const file = join(await temporaryFolder(t), 'tokenizer.json');
  const options = {vocabSize: 600, languages: ['cs'], file, signal: AbortSignal.abort()};
  await t.throwsAsync(trainTokenizer(text, options), {code: 'ERR_ABORTED'});
});
