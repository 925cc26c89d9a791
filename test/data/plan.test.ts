import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {corporaOf} from '../../lib/data/corpus/corpora.js';
import type {FilterOptions} from '../../lib/data/corpus/filter.js';

import {planCorpora, type CorpusPlan, type CutOptions} from '../../lib/data/held-out/plan.js';
import {walkDocuments, walkPairs} from '../../lib/data/prepared/walk.js';
import {configIn, documents, folderWith, sentence, sentences} from './corpora.js';
import {scanAll} from './scan-all.js';

const yaml = `
data:
  monolingual: [{language: en, files: en.txt}, {language: cs, files: cs.txt}]
  parallel: [{source: en, target: cs, file: a.tsv}, {source: cs, target: en, files: [b.cs, b.en]}]
`;

const filters: FilterOptions = {lengthRatio: 3, scriptShare: 0, nearDuplicates: 'off'};

interface Files {
  readonly en: readonly string[];
  readonly cs: readonly string[];
  /** Pairs en, cs. */
  readonly a: readonly (readonly [string, string])[];
  readonly b?: readonly (readonly [string, string])[];
}

async function plan(t: ExecutionContext, {en, cs, a, b = []}: Files, cut: CutOptions): Promise<CorpusPlan> {
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
  const folder = await folderWith(t, {
    'en.txt': documents(en),
    'cs.txt': documents(cs),
    'a.tsv': lines(a.map((pair) => pair.join('\t'))),
    'b.en': lines(b.map(([x]) => x)),
    'b.cs': lines(b.map(([, y]) => y)),
  });
  return planCorpora(await scanAll(await corporaOf(configIn(folder, yaml)), {filters}), cut);
}

/** The texts that a plan trains on and those it holds out, all languages together. */
async function textsOf(planned: CorpusPlan): Promise<Record<'training' | 'heldOut', string[]>> {
  const texts: Record<'training' | 'heldOut', string[]> = {training: [], heldOut: []};
  for (const part of ['training', 'heldOut'] as const) {
    for (const text of planned.texts)
      for await (const batch of walkDocuments(text, {})) texts[part].push(...batch[part].flat());
    for (const pairs of planned.pairs)
      for await (const batch of walkPairs(pairs, {})) texts[part].push(...batch[part].flat());
  }
  return texts;
}

const few = {en: sentences('en', 0, 9), cs: sentences('cs', 0, 9)};

test('each filter counts what it drops, by the first reason that holds', async (t) => {
  const {pairs} = await plan(
    t,
    {
      ...few,
      a: [
        ['water', 'voda'],
        ['', 'voda'],
        ['water', ' \u0007'],
        ['', ''],
        ['the same', 'the  same'],
        ['water', 'a'.repeat(15)],
        ['water', 'a'.repeat(16)],
        ['aaaaaaaaaaaaaaaa', 'voda '],
        ['water', 'voda\u00A0'],
      ],
      b: [
        ['water', 'voda'],
        ['moon', 'měsíc'],
      ],
    },
    {documentShare: 0, pairs: 0},
  );
  t.deepEqual(
    pairs.map(({counts}) => counts),
    [
      {
        keep: 3,
        empty: 3,
        identical: 1,
        ratio: 2,
        script: 0,
        duplicate: 2,
        nearDuplicate: 0,
        heldOut: 0,
        heldOutSentence: 0,
      },
    ],
  );
  t.deepEqual([...pairs[0]!.fates].slice(-4), ['ratio', 'duplicate', 'duplicate', 'keep']);
});

test('corpora of one pair in either order are one corpus, duplicates between them included', async (t) => {
  const {pairs} = await plan(
    t,
    {
      ...few,
      a: [['water', 'voda']],
      b: [
        ['water', 'voda'],
        ['moon', 'měsíc'],
      ],
    },
    {documentShare: 0, pairs: 0},
  );
  t.is(pairs.length, 1);
  t.deepEqual([...pairs[0]!.fates], ['keep', 'duplicate', 'keep']);
  const [batch] = [...(await textsOf({texts: [], pairs})).training];
  t.is(batch, 'water');
});

test('no held-out sentence is trained on, on either side of a pair or in text', async (t) => {
  // Few different sentences, so that held-out ones come up everywhere.
  const number = fc.integer({min: 0, max: 40});
  await fc.assert(
    fc.asyncProperty(
      fc.array(number, {minLength: 6, maxLength: 60}),
      fc.array(number, {minLength: 6, maxLength: 60}),
      fc.array(fc.tuple(number, number), {minLength: 2, maxLength: 40}),
      fc.double({min: 0, max: 0.6, noNaN: true}),
      async (en, cs, pairs, documentShare) => {
        const planned = await plan(
          t,
          {
            en: en.map((n) => sentence('en', n)),
            cs: cs.map((n) => sentence('cs', n)),
            a: pairs.map(([x, y]) => [sentence('en', x), sentence('cs', y)]),
          },
          {documentShare, pairs: 5},
        );
        const {training, heldOut} = await textsOf(planned);
        const kept = new Set(heldOut);
        return training.every((text) => !kept.has(text));
      },
    ),
    {seed: 6, numRuns: 60},
  );
  t.pass();
});

test('what is dropped for held-out text is counted', async (t) => {
  const all = sentences('en', 0, 30);
  const planned = await plan(
    t,
    {
      en: [...all, ...all.slice(1), ...all.slice(0, 1)], // the same sentences in other documents
      cs: few.cs,
      a: all.map((text, i): [string, string] => [text, sentence('cs', 100 + i)]),
    },
    {documentShare: 0.1, pairs: 3},
  );
  const {training, heldOut} = await textsOf(planned);
  const [english] = planned.texts;
  t.is(english?.counts.heldOut, 2);
  t.true(heldOut.length > 0 && english!.leaked > 0 && planned.pairs[0]!.counts.heldOutSentence > 0);
  // 60 English and 9 Czech sentences, 30 pairs of two: each is trained on, held out or dropped.
  const dropped = english!.leaked + planned.texts[1]!.leaked + 2 * planned.pairs[0]!.counts.heldOutSentence;
  t.is(training.length + heldOut.length + dropped, 60 + 9 + 60);
});

test('a document that came before is a duplicate, and of those that are nearly the same one stays, whatever their order', async (t) => {
  const long = (n: number): string =>
    sentences('en', n, 1).join().replace('.', ' and so on for a long while, as they say here.');
  const texts = [long(7), long(4000), long(7), `${long(7)} Yes`, long(7).toUpperCase(), `${long(7)} No`];
  const folderOf = (all: readonly string[]) => ({'en.txt': all.join('\n\n'), 'cs.txt': 'voda'});
  const oneYaml = 'data: {monolingual: [{language: en, files: en.txt}]}\nobjectives: {recipe: mono}';
  const keptOf = async (all: readonly string[]): Promise<string[]> => {
    const corpora = await corporaOf(configIn(await folderWith(t, folderOf(all)), oneYaml));
    const scan = await scanAll(corpora, {filters: {...filters, nearDuplicates: 0.8}});
    const planned = planCorpora(scan, {documentShare: 0, pairs: 0});
    const {duplicate, nearDuplicate, keep} = planned.texts[0]!.counts;
    t.deepEqual([keep, duplicate, nearDuplicate], [2, 1, 3]);
    return (await textsOf(planned)).training.sort();
  };
  t.deepEqual(await keptOf(texts), await keptOf(texts.toReversed()));
});

test('a script that is not that of the language is a reason of its own', async (t) => {
  const folder = await folderWith(t, {
    'uk.txt': 'вода і місяць\n\nall of it in another script\n\n3 + 4\n',
    'a.tsv': 'water\tвода\nwater\twater here\n12:30\t12.30\n',
  });
  const config = configIn(
    folder,
    'data: {monolingual: [{language: uk, files: uk.txt}], parallel: [{source: en, target: uk, file: a.tsv}]}',
    ['data.monolingual[1]={language: en, files: uk.txt}'],
  );
  const scan = await scanAll(await corporaOf(config), {filters: {...filters, scriptShare: 0.3}});
  const planned = planCorpora(scan, {documentShare: 0, pairs: 0});
  t.deepEqual([...planned.texts[0]!.fates], ['keep', 'script', 'keep']);
  t.deepEqual([...planned.texts[1]!.fates], ['script', 'keep', 'keep']);
  t.deepEqual([...planned.pairs[0]!.fates], ['keep', 'script', 'keep']);
});

test('what is held out does not depend on the order of the lines', async (t) => {
  const pairs = Array.from({length: 100}, (_, i): [string, string] => [sentence('en', i), sentence('cs', i)]);
  const cut = {documentShare: 0.2, pairs: 10};
  const en = sentences('en', 500, 60);
  const forth = await plan(t, {en, cs: few.cs, a: pairs}, cut);
  const groups = Array.from({length: 20}, (_, i) => en.slice(3 * i, 3 * i + 3));
  const back = await plan(t, {en: groups.reverse().flat(), cs: few.cs, a: [...pairs].reverse()}, cut);
  const sorted = async (planned: CorpusPlan): Promise<string[]> => (await textsOf(planned)).heldOut.sort();
  t.deepEqual(await sorted(back), await sorted(forth));
});

test('held-out pairs have no sentence twice on a side', async (t) => {
  // Each English sentence comes with three translations.
  const pairs = Array.from({length: 90}, (_, i): [string, string] => [
    sentence('en', Math.floor(i / 3)),
    sentence('cs', i),
  ]);
  const planned = await plan(t, {...few, a: pairs}, {documentShare: 0, pairs: 20});
  const {heldOut} = await textsOf(planned);
  t.is(heldOut.length, 40);
  t.is(new Set(heldOut).size, 40);
});

test('at most half of the pairs and of the documents are held out', async (t) => {
  const pairs = Array.from({length: 11}, (_, i): [string, string] => [sentence('en', i), sentence('cs', i)]);
  const planned = await plan(
    t,
    {en: sentences('en', 900, 9), cs: sentences('cs', 900, 3), a: pairs},
    {documentShare: 0.01, pairs: 200},
  );
  t.is(planned.pairs[0]?.counts.heldOut, 5);
  t.deepEqual(
    planned.texts.map(({counts}) => [counts.keep, counts.heldOut]),
    [
      [2, 1],
      [1, 0],
    ],
  );
});

test('one sentence in several languages is held out in all of them', async (t) => {
  const rows = Array.from({length: 200}, (_, i) => i);
  const folder = await folderWith(t, {
    'a.tsv': rows.map((i) => `${sentence('en', i)}\t${sentence('cs', i)}\n`).join(''),
    'b.tsv': rows.map((i) => `${sentence('uk', i)}\t${sentence('en', i)}\n`).join(''),
  });
  const config = configIn(
    folder,
    'data: {parallel: [{source: en, target: cs, file: a.tsv}, {source: uk, target: en, file: b.tsv}]}',
  );
  const planned = planCorpora(await scanAll(await corporaOf(config), {filters}), {
    documentShare: 0,
    pairs: 20,
  });
  t.deepEqual(
    planned.pairs.map(({counts}) => [counts.heldOut, counts.heldOutSentence]),
    [
      [20, 0],
      [20, 0],
    ],
  );
});

test('a corpus without text is refused', async (t) => {
  await t.throwsAsync(plan(t, {...few, cs: [], a: [['a', 'b']]}, {documentShare: 0, pairs: 0}), {
    code: 'ERR_DATA',
    message: /^no text of language cs in .*cs\.txt$/,
  });
  await t.throwsAsync(
    plan(
      t,
      {
        ...few,
        a: [
          ['a', 'a'],
          ['', 'b'],
        ],
      },
      {documentShare: 0, pairs: 0},
    ),
    {
      code: 'ERR_DATA',
      message: /^no usable pair of en and cs among 2 in .*a\.tsv, .*b\.cs, .*b\.en$/,
    },
  );
});
