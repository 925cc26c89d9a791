/** Writes a folder of prepared data. */
import {readFile, writeFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {z} from 'zod';
import {configLanguages, type Config} from '../../config/index.js';
import type {Corpora, CorpusOptions} from '../corpus/corpora.js';
import type {Scan} from '../corpus/scan.js';
import {createScanner} from '../corpus/scanner.js';
import type {HeldOutPairs} from '../held-out/held-out.js';
import {planCorpora, type CorpusPlan, type PairPlan, type TextPlan} from '../held-out/plan.js';
import type {Breather} from '../pace.js';
import {createDocumentEncoder} from '../shards/encode.js';
import {loadTokenizer} from '../tokenizer/load.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import {checkVocabulary, trainedJson} from '../tokenizer/train.js';
import {encodePairs, encodeText, type EncodedPairs, type Encoding} from './encode-corpora.js';
import {createFertilitySample, type FertilitySample} from './fertility.js';
import type {FileState} from './fingerprint.js';
import type {Journal} from './journal.js';
import {
  createManifest,
  fileNames,
  sha256,
  type Manifest,
  type ManifestPair,
  type ManifestText,
} from './manifest.js';
import type {DataProgress, ProgressReporter} from './progress.js';
import {createWordSample} from './sample.js';
import {scanCorpora} from './scan-steps.js';
import {textIdsOf} from './text-ids.js';
import {walkDocuments, walkPairs} from './walk.js';

/** What a build works with. */
interface BuildOptions {
  readonly config: Config;
  readonly corpora: Corpora;
  /** The files of the corpora. */
  readonly state: FileState;
  readonly journal: Journal;
  readonly breather: Breather;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal | undefined;
}

/**
 * Fills the folder of a journal. Each corpus that is read or encoded, and the tokenizer, is a step.
 *
 * @throws ERR_DATA, ERR_IO, ERR_ABORTED
 */
export async function buildFolder(options: BuildOptions): Promise<void> {
  const {config, journal, state, breather} = options;
  const languages = configLanguages(config);
  const {vocabSize, file: given} = config.tokenizer;
  if (given === undefined) checkVocabulary({vocabSize, languages});
  else await loadTokenizer(given, {languages});
  const scan = await scanAll(options);
  const plan = planCorpora(scan, config.data.heldOut);
  const tokenizer = await makeTokenizer({scan, plan}, options);
  const encoding: Encoding = {
    journal,
    tokenizer,
    encoder: await createDocumentEncoder(tokenizer),
    breather,
    ...reading(options, 'encode'),
    context: config.model.context,
    tokensPerBatch: config.training.tokensPerBatch,
    textIds: textIdsOf(scan, plan),
  };
  const content = await encodeAll(plan, encoding, languages);
  const heldOutPairs = JSON.stringify(content.heldOut);
  await writeFile(journal.dataPath(fileNames.heldOutPairs), heldOutPairs);
  const manifest = createManifest({
    fingerprint: state.fingerprint,
    tokenizerTrained: config.tokenizer.file === undefined,
    texts: content.texts,
    pairs: content.pairs,
    files: {
      ...content.digests,
      [fileNames.heldOutPairs]: sha256(heldOutPairs),
      [fileNames.tokenizer]: sha256(await readFile(tokenizer.file)),
    },
  });
  await writeFile(journal.dataPath(fileNames.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function scanAll(options: BuildOptions): Promise<Scan> {
  const {config, corpora, journal, breather} = options;
  const {filters} = config.data;
  const threads = config.threads === 'auto' ? availableParallelism() : config.threads;
  const scanner = createScanner({filters, threads});
  try {
    return await scanCorpora(corpora, {filters, scanner, breather, journal, ...reading(options, 'scan')});
  } finally {
    await scanner.close();
  }
}

interface Reading {
  readonly reading: CorpusOptions;
  /** Counts a corpus as read. */
  onKnown(files: readonly string[]): void;
}

/** How the corpora are read in a stage that reads all of them once, until a share of the stage is done. */
function reading({state, progress, signal}: BuildOptions, stage: DataProgress['stage'], part = 1): Reading {
  let bytes = 0;
  progress.report(stage, 0);
  const onBytes = (more: number): void => {
    bytes += more;
    progress.report(stage, (part * bytes) / Math.max(1, state.bytes));
  };
  return {
    reading: {onBytes, ...(signal && {signal})},
    onKnown: (files) => onBytes(state.bytesOf(files)),
  };
}

interface Planned {
  readonly scan: Scan;
  readonly plan: CorpusPlan;
}

/** Trains the tokenizer on text to train on, or copies the one that is given. */
async function makeTokenizer(planned: Planned, options: BuildOptions): Promise<Tokenizer> {
  const {config, journal, breather, progress} = options;
  const languages = configLanguages(config);
  const {vocabSize, file: given} = config.tokenizer;
  const file = journal.dataPath(fileNames.tokenizer);
  await journal.step('tokenizer', {
    schema: z.null(),
    files: [file],
    onKnown: () => progress.report('tokenizer', 1),
    async work() {
      if (given !== undefined) {
        await writeFile(file, await readFile(given));
        return null;
      }
      const counts = await sampleWords(planned, options);
      const onProgress = (done: number): void => progress.report('tokenizer', (1 + done) / 2);
      await writeFile(file, await trainedJson(counts, {vocabSize, languages, breather, onProgress}));
      return null;
    },
  });
  return loadTokenizer(file, {languages});
}

async function sampleWords(
  {scan, plan}: Planned,
  options: BuildOptions,
): Promise<ReadonlyMap<string, number>> {
  const sample = createWordSample(scan);
  const {reading: reads} = reading(options, 'tokenizer', 0.5);
  for (const text of plan.texts)
    for await (const {training} of walkDocuments(text, reads)) {
      for (const document of training)
        for (const sentence of document) sample.add(text.corpus.language, sentence);
      await options.breather.breathe();
    }
  for (const pairs of plan.pairs)
    for await (const {training} of walkPairs(pairs, reads)) {
      for (const [x, y] of training) {
        sample.add(pairs.corpus.source, x);
        sample.add(pairs.corpus.target, y);
      }
      await options.breather.breathe();
    }
  return sample.counts;
}

interface Content extends Pick<Manifest, 'texts' | 'pairs'> {
  readonly digests: Readonly<Record<string, string>>;
  readonly heldOut: readonly HeldOutPairs[];
}

async function encodeAll(
  plan: CorpusPlan,
  encoding: Encoding,
  languages: readonly string[],
): Promise<Content> {
  const corpora = new Map<string, Pick<ManifestText, 'shards' | 'read' | 'dropped' | 'examples'>>();
  const pairs: ManifestPair[] = [];
  const heldOut: HeldOutPairs[] = [];
  const digests: Record<string, string> = {};
  const fertility: FertilitySample = createFertilitySample(encoding.tokenizer);
  for (const text of plan.texts) {
    const encoded = await encodeText(text, encoding);
    Object.assign(digests, encoded.digests);
    fertility.add(text.corpus.language, encoded.sample);
    corpora.set(text.corpus.language, {
      shards: encoded.shards,
      read: {documents: text.fates.length, sentences: text.leaks.length},
      dropped: droppedOf(text),
      examples: encoded.examples,
    });
  }
  for (const pair of plan.pairs) {
    const encoded = await encodePairs(pair, encoding);
    Object.assign(digests, encoded.digests);
    fertility.add(pair.corpus.source, encoded.samples[0]);
    fertility.add(pair.corpus.target, encoded.samples[1]);
    heldOut.push(encoded.heldOut);
    pairs.push(manifestPair(pair, encoded));
  }
  const texts: ManifestText[] = [];
  for (const language of languages) {
    const corpus = corpora.get(language) ?? pairsOnly;
    texts.push({language, ...corpus, ...(await fertility.measure(language))});
  }
  return {texts, pairs, heldOut, digests};
}

/** A language that occurs in pairs alone. */
const pairsOnly = {
  shards: null,
  read: {documents: 0, sentences: 0},
  dropped: {script: 0, duplicate: 0, nearDuplicate: 0, heldOutSentence: 0},
  examples: [],
};

function droppedOf({counts: {script, duplicate, nearDuplicate}, leaked}: TextPlan): ManifestText['dropped'] {
  return {script, duplicate, nearDuplicate, heldOutSentence: leaked};
}

function manifestPair(
  {corpus, fates, counts}: PairPlan,
  {shard, tooLong, examples, heldOut}: EncodedPairs,
): ManifestPair {
  const {empty, identical, ratio, script, duplicate, nearDuplicate, heldOutSentence} = counts;
  return {
    source: corpus.source,
    target: corpus.target,
    ...(corpus.name !== undefined && {name: corpus.name}),
    shard,
    read: fates.length,
    dropped: {empty, identical, ratio, script, duplicate, nearDuplicate, heldOutSentence, tooLong},
    examples,
    heldOut: heldOut.sources.length,
  };
}
