import {readdirSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {readPairs} from '../../examples/ablation/corpora.js';
import {createSentenceIndex} from '../../examples/ablation/overlap.js';
import {shufflePartners, type Pair} from '../../examples/ablation/pairs.js';
import {configOf, readPlan, runsOf} from '../../examples/ablation/plan.js';
import {splitFiles} from '../../examples/ablation/split-files.js';
import {writeSplit} from '../../examples/ablation/split.js';
import {suiteOf} from '../../examples/ablation/suite.js';
import {parseConfig, parseSuite} from '../../lib/config/index.js';
import {folderWith, sentence, type Language} from '../data/corpora.js';

const planFile = 'examples/ablation/ablation.yaml';
const planFiles = readdirSync('examples/ablation').filter((file) => file.endsWith('.yaml'));

test('shuffled partners are the same sentences, of about the same length, and never their own', (t) => {
  const pairs: Pair[] = Array.from({length: 237}, (_, index) => ({
    document: 'd',
    source: `source ${index}`,
    target: `${'x'.repeat(1 + ((index * 7) % 90))} ${index}`,
  }));
  const partner = new Map(pairs.map(({source, target}) => [source, target]));
  const shuffled = shufflePartners(pairs);
  t.deepEqual(shuffled.map(({source}) => source).sort(), pairs.map(({source}) => source).sort());
  t.deepEqual(shuffled.map(({target}) => target).sort(), pairs.map(({target}) => target).sort());
  for (const {source, target} of shuffled) {
    t.not(target, partner.get(source));
    t.true(Math.abs(target.length - (partner.get(source)?.length ?? 0)) < 40, `${source}: ${target}`);
  }
  t.deepEqual(shufflePartners([...pairs].reverse()), shuffled, 'whatever the order they come in');
});

test('a sentence is like another by the share of five letters that both have', (t) => {
  const index = createSentenceIndex();
  index.add('Click the button to insert a new table.');
  t.true(index.has('Click the button, to insert a NEW table', 0.99), 'case and punctuation aside');
  t.true(index.has('Click the button to insert a new table row.', 0.8));
  t.false(index.has('Click the button to delete an old chart.', 0.8));
  t.true(index.has('Click the button to delete an old chart.', 0.2));
  index.add('表格');
  t.true(index.has('表格', 1), 'shorter than five letters');
});

for (const file of planFiles)
  test(`every run of ${file} is a configuration, and its suite is one`, async (t) => {
    const plan = await readPlan(`examples/ablation/${file}`);
    const runs = runsOf(plan);
    t.is(new Set(runs.map(({name}) => name)).size, runs.length);
    for (const run of runs) {
      const config = parseConfig(JSON.stringify(configOf(plan, run, {split: 'split', models: 'models'})));
      t.is(config.seed, run.seed);
      t.is(config.training.steps, run.steps);
      if (run.from !== undefined) t.true(runs.findIndex(({name}) => name === run.from) < runs.indexOf(run));
    }
    t.is(parseSuite(JSON.stringify(suiteOf(plan))).tasks.length, 4 + 3 + 6 + 6);
  });

test('a plan has the sections of the one that it extends, but for its own; an arm may train otherwise', async (t) => {
  const [base, sweep] = [await readPlan(planFile), await readPlan('examples/ablation/sweep-batch.yaml')];
  t.deepEqual(sweep.primary, base.primary);
  t.is(base.test.salt, 'test');
  t.is(sweep.test.salt, 'sweep');
  const run = runsOf(sweep).find(({arm}) => arm === 'map-2048-4e-3')!;
  t.is(run.steps, 1500);
  const {training} = configOf(sweep, run, {split: 'split', models: 'models'});
  t.like(training, {steps: 1500, tokensPerBatch: 2048, learningRate: 4e-3, warmupSteps: 40});
});

test('a plan whose names stand for nothing is refused', async (t) => {
  const refused = async (conditions: string, message: RegExp): Promise<void> => {
    const base = await readFile(planFile, 'utf8');
    const [sections = ''] = base.split('conditions:');
    const folder = await folderWith(t, {'plan.yaml': `${sections}conditions:\n${conditions}`});
    await t.throwsAsync(readPlan(join(folder, 'plan.yaml')), {message});
  };
  await refused('  a: {arms: [mono, best], pairs: 10}', /conditions\.a: there is no arm best$/);
  await refused('  a: {arms: [mono], pairs: 10, from: best}', /conditions\.a: there is no arm best$/);
  await refused('  a: {arms: [mono], pairs: 10, little: xx}', /conditions\.a: there is no language xx$/);
  await refused(
    '  a: {arms: [mono], against: [map], pairs: 10}',
    /conditions\.a: against names map, which is not among its arms$/,
  );
});

test('a split keeps what is like the test set out of training', async (t) => {
  const files: Record<string, Uint8Array> = {};
  const lines = (language: Language, first: number, count: number): string[] =>
    Array.from({length: count}, (_, index) => sentence(language, first + index));
  for (const language of ['en', 'cs', 'uk', 'zh'] as const) {
    const few = Array.from({length: 40}, (_, index) => lines(language, 1000 + 3 * index, 3));
    // A document that repeats what pairs hold, some of which becomes test.
    const texts = [...few, lines(language, 0, 60)].map((document) => document.join('\n'));
    files[`mono/c.${language}.txt.gz`] = gzipSync(texts.join('\n\n'));
    const rows = Array.from({length: 120}, (_, index) =>
      [`d${Math.floor(index / 6)}#${index}`, sentence('en', index), sentence(language, index)].join('\t'),
    );
    files[`pairs/c.en-${language}.tsv.gz`] = gzipSync([`id\ten\t${language}`, ...rows].join('\n'));
  }
  const folder = await folderWith(t, files);
  const corpora = {folder, names: ['c']};
  t.is((await readPairs(corpora, 'en', 'cs'))[7]?.document, 'c/d1');

  const plan = {...(await readPlan(planFile)), vocabSize: 400};
  plan.test = {...plan.test, pairs: 20, documentShare: 0.1, similarity: 0.99};
  const split = join(folder, 'split');
  const report = await writeSplit(split, {corpora, plan, pairCounts: [60, 30]});
  const linesOf = async (file: string): Promise<string[]> =>
    (await readFile(join(split, file), 'utf8')).split('\n').filter((line) => line !== '');
  const held = new Set<string>();
  for (const language of plan.languages)
    for (const line of await linesOf(splitFiles.testPairs(language)))
      for (const side of line.split('\t')) held.add(side);
  for (const language of ['en', 'cs', 'uk', 'zh'])
    for (const line of await linesOf(splitFiles.testText(language))) held.add(line);
  t.true(held.size > 100);
  for (const language of plan.languages) {
    const train = await linesOf(splitFiles.pairs(language, 60, 'true'));
    t.is(train.length, 20);
    t.deepEqual(
      await linesOf(splitFiles.pairs(language, 30, 'true')),
      train.slice(0, 10),
      'few pairs are some of the many',
    );
    for (const line of train) for (const side of line.split('\t')) t.false(held.has(side), side);
    const shuffled = await linesOf(splitFiles.pairs(language, 60, 'shuffled'));
    const sourcesOf = (all: readonly string[]) =>
      all.map((line) => line.split('\t')[0] ?? '').sort((a, b) => a.localeCompare(b));
    t.deepEqual(sourcesOf(shuffled), sourcesOf(train));
    t.is(report.pairs[language]?.test, 20);
  }
  for (const language of ['en', 'cs', 'uk', 'zh']) {
    const train = await linesOf(splitFiles.text(language));
    for (const line of train) t.false(held.has(line), line);
    const little = await linesOf(splitFiles.text(language, 0.1));
    t.true(little.length > 0 && little.length < train.length / 2);
  }
  t.true(Object.values(report.text).some(({likeTest}) => likeTest > 0));
  t.true(Object.values(report.pairs).some(({likeTest}) => likeTest > 0));
});
