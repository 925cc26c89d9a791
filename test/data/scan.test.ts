/** The first reading, on one thread and on several. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {corporaOf} from '../../lib/data/corpus/corpora.js';
import type {FilterOptions} from '../../lib/data/corpus/filter.js';
import {inOrder} from '../../lib/data/in-order.js';
import type {Scan} from '../../lib/data/corpus/scan.js';
import {configIn, documents, folderWith, sentence, sentences} from './corpora.js';
import {scanAll} from './scan-all.js';

const filters: FilterOptions = {lengthRatio: 3, scriptShare: 0.3, nearDuplicates: 0.8};

const yaml = `
data:
  monolingual: [{language: uk, files: ['*.uk']}, {language: en, files: en.txt}]
  parallel: [{source: en, target: uk, file: a.tsv}]
`;

/** Files of several hundred thousand bytes, so of several batches each. */
async function largeFiles(t: ExecutionContext): Promise<string> {
  const uk = (from: number): string => documents(sentences('uk', from, 8000));
  const rows = Array.from({length: 12_000}, (_, i) =>
    i % 50 === 0 ? `the same\tthe same` : `${sentence('en', i)}\t${sentence('uk', i % 9000)}`,
  );
  return folderWith(t, {
    'a.uk': uk(0),
    'b.uk': uk(6000),
    'en.txt': documents(sentences('en', 0, 9000)),
    'a.tsv': `${rows.join('\n')}\n`,
  });
}

/** What a scan has, in values that can be compared. */
function contentOf({texts, pairs}: Scan): unknown {
  return {
    texts: texts.map(({documents: starts, sentences: hashes, fates, groups, bytes}) => ({
      starts: starts.values(),
      hashes: hashes.values(),
      fates: fates.places(),
      groups,
      bytes,
    })),
    pairs: pairs.map(({x, y, fates, groups, bytesX, bytesY}) => ({
      x: x.values(),
      y: y.values(),
      fates: fates.places(),
      groups,
      bytesX,
      bytesY,
    })),
  };
}

test('several threads find what one finds, in the same order', async (t) => {
  const corpora = await corporaOf(configIn(await largeFiles(t), yaml));
  const one = await scanAll(corpora, {filters});
  t.is(one.texts[0]?.sentences.length, 16_000);
  t.true(one.pairs[0]!.fates.count('identical') > 0);
  t.true(one.texts[0]?.groups?.some((group, i) => group !== i));
  for (const threads of [2, 3])
    t.deepEqual(contentOf(await scanAll(corpora, {filters, threads})), contentOf(one));
  // Threads that start in the middle of a corpus.
  const late = await scanAll(corpora, {filters, threads: 2, threadsAfter: 4000});
  t.deepEqual(contentOf(late), contentOf(one));
});

test('a fault in a file is told with its line while threads are at work', async (t) => {
  const folder = await largeFiles(t);
  const rows = sentences('en', 0, 9000).map((text) => `${text}\tвода`);
  rows[8500] = 'no second column';
  await writeFile(join(folder, 'a.tsv'), rows.join('\n'));
  const corpora = await corporaOf(configIn(folder, yaml));
  const error = await t.throwsAsync(scanAll(corpora, {filters, threads: 3}), {code: 'ERR_DATA'});
  t.true(
    error.message.startsWith(`${join(folder, 'a.tsv')}:8501: has 1 tab-separated columns`),
    error.message,
  );
});

test('results keep the order of their items, however long each takes', async (t) => {
  let [underWay, most] = [0, 0];
  async function* items(): AsyncGenerator<number> {
    for (let i = 0; i < 20; i++) yield i;
  }
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, ++underWay);
    for (let turn = 0; turn < (item * 7) % 5; turn++) await new Promise(setImmediate);
    underWay--;
    return item;
  };
  const results: number[] = [];
  for await (const result of inOrder(items(), {ahead: 4, work})) results.push(result);
  t.deepEqual(
    results,
    Array.from({length: 20}, (_, i) => i),
  );
  t.is(most, 4);
});

test('a failure of the work, or of the items while work is under way, ends the results', async (t) => {
  async function* items(): AsyncGenerator<number> {
    yield* [0, 1, 2];
    throw new Error('no more items');
  }
  const all = async (work: (item: number) => Promise<number>, ahead: number): Promise<number[]> => {
    const results: number[] = [];
    for await (const result of inOrder(items(), {ahead, work})) results.push(result);
    return results;
  };
  await t.throwsAsync(
    all((item) => (item === 1 ? Promise.reject(new Error('one fails')) : Promise.resolve(item)), 2),
    {message: 'one fails'},
  );
  await t.throwsAsync(
    all(() => new Promise(() => undefined), 9),
    {message: 'no more items'},
  );
});
