/** The formats in which corpora lie: what is read of each, and what a file that is not as it should be leads to. */
import {existsSync, readdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {parquetWriteBuffer} from 'hyparquet-writer';
import {readDocuments, type Document, type DocumentOptions} from '../../lib/data/corpus/documents.js';
import {pairFormatOf, textFormatOf} from '../../lib/data/corpus/format.js';
import {isLanguage} from '../../lib/data/corpus/language.js';
import {readPairs, type PairFiles, type SentencePair} from '../../lib/data/corpus/pairs.js';
import {expandPatterns} from '../../lib/data/corpus/patterns.js';
import {folderWith} from './corpora.js';

type Content = string | Uint8Array;

async function pairsIn(
  t: ExecutionContext,
  files: Readonly<Record<string, Content>>,
  corpus: Partial<PairFiles> = {},
): Promise<SentencePair[]> {
  const folder = await folderWith(t, files);
  return pairsOf(
    Object.keys(files).map((name) => join(folder, name)),
    corpus,
  );
}

async function pairsOf(file: readonly string[], corpus: Partial<PairFiles> = {}): Promise<SentencePair[]> {
  const all: SentencePair[] = [];
  const entry = {source: 'en', target: 'cs', option: 'data.parallel[0]', file, ...corpus};
  for await (const batch of readPairs(entry, {})) all.push(...batch);
  return all;
}

async function documentsIn(
  t: ExecutionContext,
  [name, content]: readonly [string, Content],
  options: Partial<DocumentOptions> = {},
): Promise<Document[]> {
  const folder = await folderWith(t, {[name]: content});
  const all: Document[] = [];
  for await (const batch of readDocuments(join(folder, name), {option: 'data.monolingual[0]', ...options}))
    all.push(...batch);
  return all;
}

const water: SentencePair = ['water', 'voda'];
const moon: SentencePair = ['moon', 'měsíc'];

// Two frames, the second with a checksum: `zstd -19` of "one\ntw", `zstd -3 --check` of "o\n\nthree\n".
const zstd = Buffer.from('KLUv/QRoMQAAb25lCnR3KtmDxyi1L/0EWEkAAG8KCnRocmVlCjRCBow=', 'base64');

test('Zstandard is known by its first bytes, whatever the name, and several frames are one text', async (t) => {
  t.deepEqual(await documentsIn(t, ['a.txt', zstd]), [['one', 'two'], ['three']]);
});

test('a Zstandard file cut short is named', async (t) => {
  const error = await t.throwsAsync(documentsIn(t, ['a.txt', zstd.subarray(0, 30)]), {code: 'ERR_DATA'});
  t.regex(error.message, /a\.txt is a Zstandard file that is damaged or cut short, after line/);
});

test('names tell formats, packed or not', (t) => {
  t.deepEqual(['a.txt', 'a', 'a.JSONL.gz', 'a.ndjson.zst', 'a.parquet', 'a.tsv'].map(textFormatOf), [
    'text',
    'text',
    'jsonl',
    'jsonl',
    'parquet',
    'text',
  ]);
  t.deepEqual(['a.txt.gz', 'a.tmx.zst', 'a.po', 'a.jsonl', 'a.parquet', 'a.tsv'].map(pairFormatOf), [
    'tsv',
    'tmx',
    'po',
    'jsonl',
    'parquet',
    'tsv',
  ]);
});

test('JSON lines: a record is a document, its lines are sentences', async (t) => {
  const lines = [{text: 'one\n\ntwo', id: 1}, {text: ''}, {text: null}, {text: 'three'}];
  const content = `\uFEFF${lines.map((each) => JSON.stringify(each)).join('\n\n')}`;
  t.deepEqual(await documentsIn(t, ['a.jsonl', content]), [['one', 'two'], ['three']]);
});

test('JSON lines: the field is chosen by a path', async (t) => {
  const record = JSON.stringify({page: {text: 'one'}, 'a.b': {c: 'two'}});
  t.deepEqual(await documentsIn(t, ['a', record], {format: 'jsonl', field: 'page.text'}), [['one']]);
  t.deepEqual(await documentsIn(t, ['a', record], {format: 'jsonl', field: 'a.b.c'}), [['two']]);
});

for (const [title, line, message] of [
  ['no JSON', '{"text": "a"', /a\.jsonl:2: is not JSON: .+; JSON lines have one whole value in each line/],
  [
    'no field',
    '{"id": 1, "t": {"en": "a"}}',
    /a\.jsonl:2: has no field text, which data\.monolingual\[0\] needs; there are id, t\.en/,
  ],
  ['no text', '{"text": 3}', /a\.jsonl:2: has in text no text but number/],
  ['no record', '3', /a\.jsonl:2: has no field text, .*; it is no record/],
] as const)
  test(`JSON lines: a line with ${title} is named`, async (t) => {
    const error = await t.throwsAsync(documentsIn(t, ['a.jsonl', `{"text": "x"}\n${line}\n`]), {
      code: 'ERR_DATA',
    });
    t.regex(error.message, message);
  });

test('JSON lines: pairs stand under the languages, under translation, or in the fields given', async (t) => {
  t.deepEqual(await pairsIn(t, {'a.jsonl': '{"en": "water", "cs": "voda"}'}), [water]);
  t.deepEqual(await pairsIn(t, {'a.jsonl': '{"translation": {"cs": "voda", "en": "water"}}'}), [water]);
  const named = '{"src": "water", "to": {"text": "voda"}}\n{"src": "moon", "to": {"text": "měsíc"}}';
  t.deepEqual(await pairsIn(t, {'a.jsonl': named}, {fields: ['src', 'to.text']}), [water, moon]);
  const error = await t.throwsAsync(pairsIn(t, {'a.jsonl': '{"english": "water"}'}), {code: 'ERR_DATA'});
  t.regex(error.message, /a\.jsonl:1: has no field en, which data\.parallel\[0\] needs; there are english/);
});

function parquet(columns: Readonly<Record<string, readonly unknown[]>>, rowGroupSize = 2): Uint8Array {
  const columnData = Object.entries(columns).map(([name, data]) => ({name, data: [...data]}));
  return new Uint8Array(parquetWriteBuffer({columnData, rowGroupSize}));
}

test('Parquet: rows of several row groups, as text and as pairs', async (t) => {
  const file = parquet({
    id: [1, 2, 3, 4, 5],
    text: ['one\ntwo', 'three', '', 'four', 'five'],
    en: ['water', 'moon', 'a', 'b', 'c'],
    cs: ['voda', 'měsíc', 'x', 'y', 'z'],
  });
  t.deepEqual(await documentsIn(t, ['a.parquet', file]), [['one', 'two'], ['three'], ['four'], ['five']]);
  t.deepEqual((await pairsIn(t, {'a.parquet': file})).slice(0, 2), [water, moon]);
  const swapped = await pairsIn(t, {'a.parquet': file}, {fields: ['cs', 'en']});
  t.deepEqual(swapped.at(-1), ['z', 'c']);
});

/** A Zstandard frame of one block that is stored as it is (RFC 8878, 3.1.1). */
function storedZstd(content: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(0xfd2fb528);
  header.writeUInt8(0xa0, 4); // one segment, its size in four bytes
  header.writeUInt32LE(content.length, 5);
  header.writeUIntLE((content.length << 3) | 1, 9, 3); // the last block, raw
  return Buffer.concat([header, content]);
}

test('Parquet that is packed as a whole is unpacked first, and nothing is left of that', async (t) => {
  const file = parquet({en: ['water', 'moon', 'a'], cs: ['voda', 'měsíc', 'x']});
  const unpacked = (): string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith('crossmap-parquet-'));
  const before = unpacked();
  const pairs = [water, moon, ['a', 'x']];
  t.deepEqual(await pairsIn(t, {'a.parquet.gz': gzipSync(file)}), pairs as SentencePair[]);
  t.deepEqual(await pairsIn(t, {'a.parquet.zst': storedZstd(file)}), pairs as SentencePair[]);
  const cut = await t.throwsAsync(pairsIn(t, {'a.parquet.gz': gzipSync(file).subarray(0, 90)}), {
    code: 'ERR_DATA',
  });
  t.regex(cut.message, /a\.parquet\.gz is a gzip file cut short, while it was unpacked$/);
  const damaged = storedZstd(file).subarray(0, 60);
  const cutZstd = await t.throwsAsync(pairsIn(t, {'a.parquet.zst': damaged}), {code: 'ERR_DATA'});
  t.regex(
    cutZstd.message,
    /a\.parquet\.zst is a Zstandard file that is damaged or cut short, while it was unpacked/,
  );
  const other = await t.throwsAsync(pairsIn(t, {'a.parquet.gz': gzipSync('no parquet')}), {code: 'ERR_DATA'});
  t.regex(other.message, /a\.parquet\.gz is no Parquet file that can be read, after row 0: /);
  t.deepEqual(unpacked(), before);
});

test('Parquet: a column that is missing and a file that is none are named', async (t) => {
  const lacking = await t.throwsAsync(documentsIn(t, ['a.parquet', parquet({body: ['one']})]), {
    code: 'ERR_DATA',
  });
  t.regex(lacking.message, /a\.parquet, row 0: has no field text, .*; there are body/);
  for (const content of ['no parquet at all', '', parquet({text: ['one', 'two']}).subarray(0, 60)]) {
    const error = await t.throwsAsync(documentsIn(t, ['a.parquet', content]), {code: 'ERR_DATA'});
    t.regex(error.message, /a\.parquet is no Parquet file that can be read, after row 0: /);
  }
  await t.throwsAsync(pairsOf(['/nowhere/a.parquet']), {
    code: 'ERR_DATA',
    message: '/nowhere/a.parquet does not exist; data.parallel[0] names it',
  });
});

const tmx = (units: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header srclang="en"/>\n<body>\n${units}\n</body></tmx>\n`;
const tuv = (language: string, segment: string): string =>
  `<tuv xml:lang="${language}"><seg>${segment}</seg></tuv>`;

test('TMX: units with both languages are pairs, in whatever order; mark-up and notes are no text', async (t) => {
  const units = [
    `<tu>${tuv('cs-CZ', 'voda')}${tuv('EN_us', 'water')}${tuv('en-GB', 'aqua')}</tu>`,
    `<tu>${tuv('en', 'alone')}</tu>`,
    `<tu><note>n</note><prop type="x">p</prop>${tuv('en', '<bpt i="1">&lt;b></bpt>moon<ept i="1">&lt;/b></ept><ph/>')}${tuv('de', 'Mond')}${tuv('cs', '<hi>mě</hi>s<![CDATA[íc]]>')}</tu>`,
    `<tu><tuv lang="en"><seg>a &amp; b</seg></tuv>${tuv('cs', '&#x61;')}</tu>`,
  ];
  t.deepEqual(await pairsIn(t, {'a.tmx': tmx(units.join('\n'))}), [water, moon, ['a & b', 'a']]);
});

test('TMX: packed, in UTF-16, and with more units than one read holds', async (t) => {
  const many = Array.from(
    {length: 9000},
    (_, i) => `<tu>${tuv('en', `water ${i}`)}${tuv('cs', `voda ${i}`)}</tu>`,
  );
  const all = await pairsIn(t, {'a.tmx.gz': gzipSync(tmx(many.join('\n')))});
  t.deepEqual([all.length, all[8999]], [9000, ['water 8999', 'voda 8999']]);
  const wide = tmx(`<tu>${tuv('en', 'moon')}${tuv('cs', 'měsíc')}</tu>`).replace('UTF-8', 'UTF-16');
  t.deepEqual(await pairsIn(t, {'a.tmx': Buffer.from(`\uFEFF${wide}`, 'utf16le')}), [moon]);
});

test('TMX: what is not well formed, cut short or in another encoding is named', async (t) => {
  const broken = tmx(`<tu>${tuv('en', 'water')}</to>`);
  const error = await t.throwsAsync(pairsIn(t, {'a.tmx': broken}), {code: 'ERR_DATA'});
  t.regex(error.message, /a\.tmx:5:\d+: unexpected close tag/);
  const cut = await t.throwsAsync(pairsIn(t, {'a.tmx': tmx('<tu>').split('</body>')[0]!}), {
    code: 'ERR_DATA',
  });
  t.regex(cut.message, /a\.tmx:\d+:\d+: unclosed tag/);
  const bytes = Buffer.from(tmx(`<tu>${tuv('en', 'caf\u00e9')}</tu>`), 'latin1');
  await t.throwsAsync(pairsIn(t, {'a.tmx': bytes}), {code: 'ERR_DATA', message: /neither UTF-8 nor UTF-16/});
});

test('TMX: entities of a document type are not expanded', async (t) => {
  const bomb = tmx(`<tu>${tuv('en', '&lol;')}${tuv('cs', 'x')}</tu>`).replace(
    '<!DOCTYPE tmx SYSTEM "tmx14.dtd">',
    '<!DOCTYPE tmx [<!ENTITY lol SYSTEM "file:///etc/passwd">]>',
  );
  const error = await t.throwsAsync(pairsIn(t, {'a.tmx': bomb}), {code: 'ERR_DATA'});
  t.regex(error.message, /a\.tmx:\d+:\d+: undefined entity/);
});

const header = (language: string): string =>
  `msgid ""\nmsgstr ""\n"Language: ${language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n`;

test('PO: translated messages are pairs; fuzzy, empty and obsolete ones are none', async (t) => {
  const content = `${header('cs')}# a comment
#: file.c:3
msgctxt "noun"
msgid "water"
msgstr "voda"

#, fuzzy, c-format
msgid "river"
msgstr "voda"

msgid "house"
msgstr ""

#~ msgid "child"
#~ msgstr "dítě"

msgid ""
"mo"
"on"
msgstr "měsíc"

msgid "a \\"stone\\"\\n"
msgstr "kámen"
`;
  t.deepEqual(await pairsIn(t, {'a.po': content}), [water, moon, ['a "stone"', 'kámen']]);
});

test('PO: plural forms give the singular and the last form', async (t) => {
  const forms = (...all: string[]): string =>
    `msgid "a stone"\nmsgid_plural "stones"\n${all.map((form, i) => `msgstr[${i}] "${form}"`).join('\n')}\n`;
  t.deepEqual(await pairsIn(t, {'a.po': header('cs') + forms('kámen', 'kameny', 'kamenů')}), [
    ['a stone', 'kámen'],
    ['stones', 'kamenů'],
  ]);
  t.deepEqual(await pairsIn(t, {'a.po': header('zh_CN') + forms('石头')}, {target: 'zh'}), [
    ['stones', '石头'],
  ]);
});

test('PO: a catalogue whose translations are the source language is read the other way round', async (t) => {
  const content = `${header('cs_CZ')}msgid "water"\nmsgstr "voda"\n`;
  t.deepEqual(await pairsIn(t, {'a.po': content}, {source: 'cs', target: 'en'}), [['voda', 'water']]);
  t.deepEqual(await pairsIn(t, {'a.po': content}, {source: 'en', target: 'de'}), [water]);
});

test('PO: many messages, and what is none is named with its line', async (t) => {
  const many = Array.from({length: 3000}, (_, i) => `msgid "water ${i}"\nmsgstr "voda ${i}"\n`).join('\n');
  const all = await pairsIn(t, {'a.po': header('cs') + many});
  t.deepEqual([all.length, all[2999]], [3000, ['water 2999', 'voda 2999']]);
  const error = await t.throwsAsync(pairsIn(t, {'a.po': `${header('cs')}${many}\nno message\n`}), {
    code: 'ERR_DATA',
  });
  t.regex(error.message, /a\.po:9006: is no PO from here on: /);
});

test('several files and formats follow each other in one entry', async (t) => {
  const pairs = await pairsIn(t, {
    'a.tsv': 'water\tvoda\n',
    'b.jsonl': '{"en": "moon", "cs": "měsíc"}\n',
    'c.po': 'msgid "bread"\nmsgstr "chléb"\n',
  });
  t.deepEqual(pairs, [water, moon, ['bread', 'chléb']]);
});

test('patterns stand for files, sorted; a file that exists is itself', async (t) => {
  const names = ['b.txt', 'a.txt', 'sub/c.txt', '[x].txt', 'x.txt', 'd.tsv'];
  const folder = await folderWith(t, Object.fromEntries(names.map((name) => [`in [1]/${name}`, name])));
  const found = async (...patterns: string[]): Promise<string[]> =>
    (
      await expandPatterns(
        patterns.map((each) => join(folder, 'in [1]', each)),
        'data.monolingual[0]',
      )
    ).map((file) => file.slice(join(folder, 'in [1]').length + 1));
  t.deepEqual(await found('*.txt'), ['[x].txt', 'a.txt', 'b.txt', 'x.txt']);
  t.deepEqual(await found('d.tsv', '**/{b,c}.txt'), ['d.tsv', 'b.txt', 'sub/c.txt']);
  t.deepEqual(await found('[x].txt'), ['[x].txt']);
  t.deepEqual(await found('none.txt'), ['none.txt']); // reading it says that it does not exist
  await t.throwsAsync(found('*.md'), {
    code: 'ERR_DATA',
    message: `${folder}/in [1]/*.md matches no file; data.monolingual[0] names it`,
  });
});

test('language marks fit a language and its regions', (t) => {
  for (const tag of ['en', 'EN', 'en-GB', 'en_US', ' en ']) t.true(isLanguage(tag, 'en'), tag);
  for (const tag of ['eng', 'e', '', 'de']) t.false(isLanguage(tag, 'en'), tag);
  t.false(isLanguage('pt', 'pt-BR'));
});

// Real files, where they are.
const shared = new URL('../../../../shared/data/', import.meta.url).pathname;
(existsSync(shared) ? test : test.skip)(
  'real corpora of every format have their numbers of pairs',
  async (t) => {
    for (const [file, target, count, columns] of [
      ['tmx/gnome-help.en-uk.tmx.gz', 'uk', 2782],
      ['tmx/libreoffice-help.en-uk.tmx.gz', 'uk', 5044],
      ['parquet/debian-handbook.en-de.parquet', 'de', 2995],
      ['parquet/debian-handbook.en-fr.parquet', 'fr', 2741],
      ['jsonl/wesnoth.en-cs.jsonl.gz', 'cs', 6854],
      ['tsv/debian-handbook.en-cs.tsv.gz', 'cs', 960, [1, 2]],
    ] as const) {
      const pairs = await pairsOf([join(shared, file)], {target, ...(columns && {columns})});
      t.is(pairs.filter(([x, y]) => x !== '' && y !== '').length, count, file);
    }
    const catalogue = await pairsOf([join(shared, 'po/installation-guide-boot-new.cs.po')]);
    t.deepEqual(catalogue[1], ['The Moment of Truth', 'Okamžik pravdy']);
  },
);
