/** Sentences that prepared data trains on are found in its token files, and others are not. */
import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openTrainedText, prepareData} from '../../lib/data/index.js';
import {configIn, folderWith, sentence, sentences, smallFiles, smallYaml} from './corpora.js';

const long = sentences('en', 9000, 60).join(' ').replaceAll('.', '');

test('text and both sides of pairs are found, held-out text and other text are not', async (t) => {
  const folder = await folderWith(t, {...smallFiles, 'en.txt': `${smallFiles['en.txt']}\n${long}\n`});
  const config = configIn(folder, smallYaml);
  const data = await prepareData(config);
  const [held] = data.heldOut.pairs;
  const text = await openTrainedText(data.folder, {identity: data.identity, context: config.model.context});
  const pairs = Array.from({length: 300}, (_, i) => [
    sentence('en', 2000 + i),
    sentence('cs', 2000 + i),
  ]).flat();
  const documents = [...sentences('en', 0, 360), ...sentences('cs', 1000, 360)];
  const others = [
    ...sentences('en', 5000, 50),
    'water moon',
    '',
    ...(held?.sources ?? []),
    ...(held?.targets ?? []),
  ];
  const found = await text.among([...pairs, ...documents, ...others]);
  t.deepEqual(
    others.filter((each) => found.has(each)),
    [],
  );
  const heldOut = new Set(others);
  t.deepEqual(
    pairs.filter((each) => !found.has(each) && !heldOut.has(each)),
    [],
  );
  // Whole documents of three sentences are held out too: 12 of each language.
  t.is(documents.filter((each) => !found.has(each)).length, 2 * 12 * 3);

  const spelt = ['  voda\tdům ', long, `${long} more`, sentence('cs', 2000 + 7).normalize('NFD')];
  const [free] = pairs.filter((each) => found.has(each));
  const again = await text.among([...spelt, `${free} `]);
  t.true(again.has(long), 'a sentence longer than the context, which is trained on in pieces');
  t.false(again.has(`${long} more`));
  t.true(again.has(`${free} `));
  t.is(again.has(spelt[3]!), found.has(sentence('cs', 2000 + 7)));

  await rename(join(folder, 'en.txt'), join(folder, 'gone.txt'));
  t.deepEqual(await text.among([free!]), new Set([free!]), 'the corpora need not be there');
});

test('other data, a folder that is none, and damage are told', async (t) => {
  const folder = await folderWith(t, smallFiles);
  const config = configIn(folder, smallYaml);
  const {folder: prepared, identity} = await prepareData(config);
  const {context} = config.model;
  await t.throwsAsync(openTrainedText(prepared, {identity: 'other', context}), {
    code: 'ERR_DATA',
    message: /is not what the model was trained on: it was prepared again since$/,
  });
  await t.throwsAsync(openTrainedText(folder, {identity, context}), {code: 'ERR_FORMAT'});
  const stopped = await openTrainedText(prepared, {identity, context, signal: AbortSignal.abort()});
  await t.throwsAsync(stopped.among(['a']), {code: 'ERR_ABORTED'});
  const text = await openTrainedText(prepared, {identity, context});
  await writeFile(join(prepared, 'text.cs.tokens'), 'x');
  await t.throwsAsync(text.among(['a']), {code: 'ERR_FORMAT', message: /text\.cs\.tokens is damaged/});
});
