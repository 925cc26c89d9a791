/** Writes a folder of prepared data. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {configLanguages, type Config} from '../../config/index.js';
import type {Corpora, CorpusOptions} from '../corpus/corpora.js';
import {scanCorpora, type Scan} from '../corpus/scan.js';
import type {HeldOutPairs} from '../held-out/held-out.js';
import {planCorpora, type CorpusPlan, type PairPlan, type TextPlan} from '../held-out/plan.js';
import type {Breather} from '../pace.js';
import {createDocumentEncoder} from '../shards/encode.js';
import {loadTokenizer} from '../tokenizer/load.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import {checkVocabulary, trainedJson} from '../tokenizer/train.js';
import {createTextIds, encodePairs, encodeText, type EncodedPairs, type Encoding} from './encode-corpora.js';
import {createFertilitySample} from './fertility.js';
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
import {walkDocuments, walkPairs} from './walk.js';

/** What a build works with. */
interface BuildOptions {
  readonly config: Config;
  readonly corpora: Corpora;
  /** Bytes of all corpora on the disk. */
  readonly corpusBytes: number;
  readonly fingerprint: string;
  readonly breather: Breather;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal | undefined;
}

/**
 * Fills a folder, which is there and empty.
 *
 * @throws ERR_DATA, ERR_IO, ERR_ABORTED
 */
export async function buildFolder(folder: string, options: BuildOptions): Promise<void> {
  const {config, corpora, fingerprint, breather} = options;
  const languages = configLanguages(config);
  const {vocabSize, file: given} = config.tokenizer;
  if (given === undefined) checkVocabulary({vocabSize, languages});
  else await loadTokenizer(given, {languages});
  const scan = await scanCorpora(corpora, {...reading(options, 'scan'), filters: config.data.filters});
  const plan = planCorpora(scan, config.data.heldOut);
  const tokenizer = await makeTokenizer(folder, {scan, plan}, options);
  const encoding: Encoding = {
    folder,
    tokenizer,
    encoder: await createDocumentEncoder(tokenizer),
    fertility: createFertilitySample(tokenizer),
    breather,
    reading: reading(options, 'encode'),
    context: config.model.context,
    tokensPerBatch: config.training.tokensPerBatch,
    textIds: createTextIds(),
  };
  const content = await encodeAll(plan, encoding, languages);
  const heldOutPairs = JSON.stringify(content.heldOut);
  await writeFile(join(folder, fileNames.heldOutPairs), heldOutPairs);
  const manifest = createManifest({
    fingerprint,
    tokenizerTrained: config.tokenizer.file === undefined,
    texts: content.texts,
    pairs: content.pairs,
    files: {
      ...content.digests,
      [fileNames.heldOutPairs]: sha256(heldOutPairs),
      [fileNames.tokenizer]: sha256(await readFile(tokenizer.file)),
    },
  });
  await writeFile(join(folder, fileNames.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** How the corpora are read in a stage that reads all of them once, from a share of the stage on. */
function reading(
  {corpusBytes, progress, signal}: BuildOptions,
  stage: DataProgress['stage'],
  part = 1,
): CorpusOptions {
  let bytes = 0;
  progress.report(stage, 0);
  return {
    onBytes(more) {
      bytes += more;
      progress.report(stage, (part * bytes) / Math.max(1, corpusBytes));
    },
    ...(signal && {signal}),
  };
}

interface Planned {
  readonly scan: Scan;
  readonly plan: CorpusPlan;
}

/** Trains the tokenizer on text to train on, or copies the one that is given. */
async function makeTokenizer(folder: string, planned: Planned, options: BuildOptions): Promise<Tokenizer> {
  const {config, breather, progress} = options;
  const languages = configLanguages(config);
  const file = join(folder, fileNames.tokenizer);
  if (config.tokenizer.file === undefined) {
    const counts = await sampleWords(planned, options);
    const onProgress = (done: number): void => progress.report('tokenizer', (1 + done) / 2);
    const {vocabSize} = config.tokenizer;
    await writeFile(file, await trainedJson(counts, {vocabSize, languages, breather, onProgress}));
  } else {
    await writeFile(file, await readFile(config.tokenizer.file));
  }
  return loadTokenizer(file, {languages});
}

async function sampleWords(
  {scan, plan}: Planned,
  options: BuildOptions,
): Promise<ReadonlyMap<string, number>> {
  const sample = createWordSample(scan);
  const reads = reading(options, 'tokenizer', 0.5);
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
  for (const text of plan.texts) {
    const encoded = await encodeText(text, encoding);
    Object.assign(digests, encoded.digests);
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
    heldOut.push(encoded.heldOut);
    pairs.push(manifestPair(pair, encoded));
  }
  const texts: ManifestText[] = [];
  for (const language of languages) {
    const corpus = corpora.get(language) ?? pairsOnly;
    texts.push({language, ...corpus, ...(await encoding.fertility.measure(language))});
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
    shard,
    read: fates.length,
    dropped: {empty, identical, ratio, script, duplicate, nearDuplicate, heldOutSentence, tooLong},
    examples,
    heldOut: heldOut.sources.length,
  };
}
