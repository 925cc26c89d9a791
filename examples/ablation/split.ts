/** Cuts the corpora into what is trained on and what is measured, once for all runs. */
import {mkdir, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {cleanText, trainTokenizer} from '../../lib/data/index.js';
import {readDocuments, readPairs, type Corpora, type Document} from './corpora.js';
import {orderByHash} from './hash-order.js';
import {createSentenceIndex} from './overlap.js';
import {keyOfPair, pairLines, shufflePartners, type Pair} from './pairs.js';
import type {Plan} from './plan.js';
import {littleShare, splitFiles} from './split-files.js';

interface PairFacts {
  readonly train: number;
  readonly test: number;
  /** Left out of training: a side is like a test sentence. */
  readonly likeTest: number;
}

interface TextFacts {
  readonly trainBytes: number;
  readonly testBytes: number;
  /** Sentences left out of training, which are like a test sentence. */
  readonly likeTest: number;
}

/** What a split has, by language, for readers. */
export interface SplitReport {
  readonly pairs: Record<string, PairFacts>;
  readonly text: Record<string, TextFacts>;
}

interface SplitInput {
  readonly corpora: Corpora;
  readonly plan: Plan;
  readonly pairCounts: readonly number[];
}

/**
 * Writes the split into a folder that must not exist: under another name first, so that a split is whole or not there.
 *
 * @param pairCounts numbers of training pairs, all languages together, that runs ask for
 */
export async function writeSplit(
  folder: string,
  {corpora, plan, pairCounts}: SplitInput,
): Promise<SplitReport> {
  const temporary = `${folder}.unfinished`;
  await rm(temporary, {recursive: true, force: true});
  for (const kind of ['train', 'test']) await mkdir(join(temporary, kind), {recursive: true});
  const write: Write = (file, content) => writeFile(join(temporary, file), content);

  const languages = [plan.hub, ...plan.languages];
  const test = await cutTest(corpora, plan);
  const texts: string[] = [];
  const report: SplitReport = {pairs: {}, text: {}};
  for (const language of languages) {
    const {facts, all} = await writeText(language, test, write);
    report.text[language] = facts;
    texts.push(all.slice(0, tokenizerLetters));
  }
  for (const language of plan.languages)
    report.pairs[language] = await writePairs(language, {test, plan, pairCounts, write});
  await trainTokenizer(
    texts.flatMap((text) => text.split('\n')),
    {vocabSize: plan.vocabSize, languages, file: join(temporary, splitFiles.tokenizer)},
  );
  await write('split.json', `${JSON.stringify(report, null, 2)}\n`);
  await rename(temporary, folder);
  return report;
}

/** Writes a file of the split. */
type Write = (file: string, content: string) => Promise<void>;

/** Text of a language: to train on, a tenth of it, and what is held out. */
async function writeText(
  language: string,
  test: TestSet,
  write: Write,
): Promise<{readonly facts: TextFacts; readonly all: string}> {
  const {train, held} = test.documents(language);
  const kept = train
    .map((document) => document.filter((sentence) => !test.hasLike(language, sentence)))
    .filter((document) => document.length > 0);
  const few = orderByHash(kept, 'few', (document) => document.join('\n'));
  const [all, little, heldText] = [textOf(kept), textOf(firstBytes(few, littleShare)), textOf(held)];
  await write(splitFiles.text(language), all);
  await write(splitFiles.text(language, littleShare), little);
  await write(splitFiles.testText(language), heldText);
  const facts = {
    trainBytes: Buffer.byteLength(all),
    testBytes: Buffer.byteLength(heldText),
    likeTest: countSentences(train) - countSentences(kept),
  };
  return {facts, all};
}

/** Pairs of a language with the hub: as many as each run asks for, with true and with wrong partners, and what is held out. */
async function writePairs(
  language: string,
  {
    test,
    plan,
    pairCounts,
    write,
  }: {readonly test: TestSet; readonly write: Write} & Pick<SplitInput, 'plan' | 'pairCounts'>,
): Promise<PairFacts> {
  const {train, held} = test.pairs(language);
  const kept = train.filter(
    ({source, target}) => !test.hasLike(plan.hub, source) && !test.hasLike(language, target),
  );
  const ordered = orderByHash(kept, 'train', keyOfPair);
  for (const count of pairCounts) {
    const part = ordered.slice(0, Math.round(count / plan.languages.length));
    await write(splitFiles.pairs(language, count, 'true'), pairLines(part));
    await write(splitFiles.pairs(language, count, 'shuffled'), pairLines(shufflePartners(part)));
  }
  await write(splitFiles.testPairs(language), pairLines(held));
  return {train: kept.length, test: held.length, likeTest: train.length - kept.length};
}

/** Text of each language that the tokenizer is trained on: the same for all, so that none is favoured. */
const tokenizerLetters = 600_000;

interface Cut<Item> {
  readonly train: readonly Item[];
  readonly held: readonly Item[];
}

interface TestSet {
  documents(language: string): Cut<Document>;
  pairs(language: string): Cut<Pair>;
  /** Whether a sentence is like one that is held out. */
  hasLike(language: string, sentence: string): boolean;
}

/** Cuts by document. */
async function cutTest(corpora: Corpora, {hub, languages, test}: Plan): Promise<TestSet> {
  const index = new Map([hub, ...languages].map((language) => [language, createSentenceIndex()]));
  const documents = new Map<string, Cut<Document>>();
  for (const language of [hub, ...languages]) {
    const all = (await readDocuments(corpora, language)).map((document) => document.map(cleanText));
    const ordered = orderByHash(all, test.salt, (document) => document.join('\n'));
    const held = firstBytes(ordered, test.documentShare);
    for (const sentence of held.flat()) index.get(language)?.add(sentence);
    documents.set(language, {held, train: ordered.slice(held.length)});
  }
  const pairs = new Map<string, Cut<Pair>>();
  for (const language of languages) {
    const all = (await readPairs(corpora, hub, language)).map(({document, source, target}) => ({
      document,
      source: cleanText(source),
      target: cleanText(target),
    }));
    const cut = cutPairs(all, test);
    for (const {source, target} of cut.held) {
      index.get(hub)?.add(source);
      index.get(language)?.add(target);
    }
    pairs.set(language, cut);
  }
  const none = {train: [], held: []};
  return {
    documents: (language) => documents.get(language) ?? none,
    pairs: (language) => pairs.get(language) ?? none,
    hasLike: (language, sentence) => index.get(language)?.has(sentence, test.similarity) ?? false,
  };
}

/** Whole documents until there are enough pairs that are not like each other; what is over of the last one is dropped. */
function cutPairs(all: readonly Pair[], {pairs: count, similarity, salt}: Plan['test']): Cut<Pair> {
  const byDocument = new Map<string, Pair[]>();
  for (const pair of all) byDocument.set(pair.document, [...(byDocument.get(pair.document) ?? []), pair]);
  const [sources, targets] = [createSentenceIndex(), createSentenceIndex()];
  const held: Pair[] = [];
  const train: Pair[] = [];
  for (const [, document] of orderByHash([...byDocument], salt, ([name]) => name)) {
    if (held.length >= count) {
      train.push(...document);
      continue;
    }
    for (const pair of document) {
      if (
        held.length >= count ||
        sources.has(pair.source, similarity) ||
        targets.has(pair.target, similarity)
      )
        continue;
      sources.add(pair.source);
      targets.add(pair.target);
      held.push(pair);
    }
  }
  return {train, held: orderByHash(held, 'held', keyOfPair)};
}

/** The first documents that make up a share of the bytes. */
function firstBytes(documents: readonly Document[], share: number): readonly Document[] {
  const bytes = documents.map((document) => Buffer.byteLength(document.join('\n')));
  let left = share * bytes.reduce((sum, size) => sum + size, 0);
  let count = 0;
  while (count < documents.length && left > 0) left -= bytes[count++] ?? 0;
  return documents.slice(0, count);
}

function textOf(documents: readonly Document[]): string {
  return documents.map((document) => `${document.join('\n')}\n`).join('\n');
}

function countSentences(documents: readonly Document[]): number {
  return documents.reduce((sum, document) => sum + document.length, 0);
}
