import {gzipSync} from 'node:zlib';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {readDocuments, type Document} from '../../lib/data/corpus/documents.js';
import {readPairs, type PairFiles, type SentencePair} from '../../lib/data/corpus/pairs.js';
import {folderWith} from './corpora.js';

const option = 'data.monolingual[0]';

async function documentsOf(file: string, signal?: AbortSignal): Promise<Document[]> {
  const all: Document[] = [];
  for await (const batch of readDocuments(file, {option, ...(signal && {signal})})) all.push(...batch);
  return all;
}

async function pairsOf(corpus: Omit<PairFiles, 'source' | 'target' | 'option'>): Promise<SentencePair[]> {
  const all: SentencePair[] = [];
  for await (const batch of readPairs(
    {source: 'en', target: 'cs', option: 'data.parallel[0]', ...corpus},
    {},
  ))
    all.push(...batch);
  return all;
}

test('a blank line ends a document, and one of spaces is blank', async (t) => {
  const folder = await folderWith(t, {'a.txt': 'one\ntwo\n\n\nthree\n  \nfour'});
  t.deepEqual(await documentsOf(join(folder, 'a.txt')), [['one', 'two'], ['three'], ['four']]);
});

test('line ends of Windows are no part of the text', async (t) => {
  const folder = await folderWith(t, {'a.txt': 'one\r\ntwo\r\n\r\nthree\r\n'});
  t.deepEqual(await documentsOf(join(folder, 'a.txt')), [['one', 'two'], ['three']]);
});

test('gzip is known by its first bytes, whatever the name, and several members are one text', async (t) => {
  const content = Buffer.concat([gzipSync('one\ntw'), gzipSync('o\n\nthree\n')]);
  const folder = await folderWith(t, {'a.txt': content});
  t.deepEqual(await documentsOf(join(folder, 'a.txt')), [['one', 'two'], ['three']]);
});

test('a character that two reads share is whole', async (t) => {
  // Reads are of 256 KiB: three bytes a character make every read but one end inside a character.
  const lines = Array.from({length: 40}, (_, i) => `${'水'.repeat(10_000)}${i}`);
  const folder = await folderWith(t, {'a.txt': `${lines.join('\n')}\n\nend`});
  t.deepEqual(await documentsOf(join(folder, 'a.txt')), [lines, ['end']]);
});

// 16 lines count as a document; a file is taken for a list after 1024 lines without a blank one.
for (const count of [1, 16, 17, 1023, 1024, 1025, 2500])
  test(`a list of ${count} sentences without blank lines is documents of 16 lines`, async (t) => {
    const lines = Array.from({length: count}, (_, i) => `sentence ${i}`);
    const folder = await folderWith(t, {'a.txt': lines.join('\n')});
    const all = await documentsOf(join(folder, 'a.txt'));
    t.deepEqual(all.flat(), lines);
    t.deepEqual(new Set(all.slice(0, -1).map(({length}) => length)), new Set(count > 16 ? [16] : []));
  });

test('a long document of a file with blank lines stays whole', async (t) => {
  const lines = Array.from({length: 2500}, (_, i) => `sentence ${i}`);
  const folder = await folderWith(t, {'a.txt': `first\n\n${lines.join('\n')}\n`});
  t.deepEqual(await documentsOf(join(folder, 'a.txt')), [['first'], lines]);
});

test('two files give pairs of matching lines, empty sides included', async (t) => {
  const folder = await folderWith(t, {en: 'water\n\nmoon\n', cs: gzipSync('voda\nřeka\n\n')});
  t.deepEqual(await pairsOf({files: [join(folder, 'en'), join(folder, 'cs')]}), [
    ['water', 'voda'],
    ['', 'řeka'],
    ['moon', ''],
  ]);
});

test('columns of a tab-separated file give pairs, and a heading of the two languages is none', async (t) => {
  const folder = await folderWith(t, {'a.tsv': 'id\tcs\ten\n1\tvoda\twater\n\n2\ten\tcs\n'});
  t.deepEqual(await pairsOf({file: [join(folder, 'a.tsv')], columns: [2, 1]}), [
    ['water', 'voda'],
    ['cs', 'en'],
  ]);
});

interface Failure {
  readonly title: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly read: (folder: string) => Promise<unknown>;
  readonly message: (folder: string) => string;
}

const text = (folder: string): Promise<unknown> => documentsOf(join(folder, 'a.txt'));
const moses = (folder: string): Promise<unknown> =>
  pairsOf({files: [join(folder, 'en'), join(folder, 'cs')]});

const failures: readonly Failure[] = [
  {
    title: 'a file that does not exist is named with the option that names it',
    files: {},
    read: text,
    message: (folder) => `${folder}/a.txt does not exist; data.monolingual[0] names it`,
  },
  {
    title: 'a folder is no corpus',
    files: {'a.txt/b': ''},
    read: text,
    message: (folder) => `${folder}/a.txt is a folder; data.monolingual[0] must name a file`,
  },
  {
    title: 'the line that is not UTF-8 is named',
    files: {'a.txt': Buffer.from('one\ntwo\nr\xEDze\nfour\n', 'latin1')},
    read: text,
    message: (folder) => `${folder}/a.txt:3: is not UTF-8; convert the file, for example with iconv`,
  },
  {
    title: 'a character cut off by the end of the file is not UTF-8',
    files: {'a.txt': Buffer.from('one\n水').subarray(0, -1)},
    read: text,
    message: (folder) => `${folder}/a.txt:2: is not UTF-8; convert the file, for example with iconv`,
  },
  {
    title: 'a gzip file cut short is refused with the line it reaches',
    files: {'a.txt': gzipSync('one\ntwo\n'.repeat(100_000)).subarray(0, -10)},
    read: text,
    message: (folder) => `${folder}/a.txt is a gzip file cut short, after line `,
  },
  {
    title: 'a damaged gzip file is refused',
    files: {'a.txt': Buffer.concat([gzipSync('one').subarray(0, 10), Buffer.alloc(20, 255)])},
    read: text,
    message: (folder) => `${folder}/a.txt is a damaged gzip file, after line 0: `,
  },
  {
    title: 'unequal numbers of lines are told, both files read to the end',
    files: {en: 'a\n'.repeat(70_000), cs: 'b\n'.repeat(70_001)},
    read: moses,
    message: (folder) =>
      `${folder}/en has 70000 lines and ${folder}/cs has 70001; line n of one must translate line n of the other (data.parallel[0])`,
  },
  {
    title: 'an empty file beside one with lines is unequal',
    files: {en: '', cs: 'b\n'},
    read: moses,
    message: (folder) => `${folder}/en has 0 lines and ${folder}/cs has 1;`,
  },
  {
    title: 'a row without the column is named',
    files: {'a.tsv': 'water\tvoda\nmoon\n'},
    read: (folder) => pairsOf({file: [join(folder, 'a.tsv')]}),
    message: (folder) =>
      `${folder}/a.tsv:2: has 1 tab-separated columns; column 1 (counted from 0) is needed for data.parallel[0]`,
  },
];

for (const {title, files, read, message} of failures)
  test(title, async (t: ExecutionContext) => {
    const folder = await folderWith(t, files);
    const error = await t.throwsAsync(read(folder), {code: 'ERR_DATA'});
    t.true(error.message.startsWith(message(folder)), error.message);
  });

test('reading stops when it is told to', async (t) => {
  const folder = await folderWith(t, {'a.txt': 'one\n'});
  await t.throwsAsync(documentsOf(join(folder, 'a.txt'), AbortSignal.abort()), {code: 'ERR_ABORTED'});
});
