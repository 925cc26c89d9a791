/** From the files of a configuration to a folder that training reads: corpora, tokenizer, shards, held-out sets, report. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {Config} from '../config/index.js';
import {CrossmapError} from '../errors.js';
import {corporaOf} from './corpus/corpora.js';
import {withStandardInput} from './corpus/standard-input.js';
import type {Corpora} from './corpus/corpora.js';
import type {HeldOut} from './held-out/held-out.js';
import {createBreather, type Breather} from './pace.js';
import {buildFolder} from './prepared/build.js';
import {describeData} from './prepared/describe.js';
import {fileState, type FileState} from './prepared/fingerprint.js';
import {openJournal, removeFinished} from './prepared/journal.js';
import {identityOf, readManifest, type Manifest} from './prepared/manifest.js';
import {openFolder} from './prepared/open.js';
import {createProgress, type DataProgress, type ProgressReporter} from './prepared/progress.js';
import type {DataReport} from './report.js';
import {planMixture, type TrainingShards} from './sampling/mixture.js';
import {createBatchStream, type BatchStream} from './sampling/stream.js';
import type {Tokenizer} from './tokenizer/tokenizer.js';

/** How data is prepared. */
export interface PrepareOptions {
  /** Where the prepared data lies; default `<config.output>/data`. It is made anew when it does not fit the configuration. */
  readonly folder?: string;
  /** Whether a corpus on standard input is read anew; default only where there is none of an earlier time. */
  readonly readInput?: boolean;
  /** Called some ten times a second at most, and at the start of each stage. */
  readonly onProgress?: (progress: DataProgress) => void;
  /** Stops the work: the promise is then rejected with ERR_ABORTED, and the next start goes on where it stopped. */
  readonly signal?: AbortSignal;
}

/** A folder of prepared data, opened. */
export interface PreparedData {
  /** Where it lies. */
  readonly folder: string;
  /** Whether what lay in the folder fitted the configuration and the files, and was taken as it was. */
  readonly reused: boolean;
  /** Identity of the prepared data: equal for equal text, tokenizer and options, wherever it lies. */
  readonly identity: string;
  /** Of the folder: trained on the text, or that of the configuration. */
  readonly tokenizer: Tokenizer;
  /** All languages, sorted. */
  readonly languages: readonly string[];
  /** Token files to train on. */
  readonly shards: TrainingShards;
  /** Text kept out of training. */
  readonly heldOut: HeldOut;
  /** What became of the text. */
  readonly report: DataReport;
}

/**
 * Prepares the data of a configuration: cleans and filters the corpora, cuts the held-out sets, trains or loads the tokenizer and
 * writes token shards. Does nothing but check them where the folder already has what these files and options give.
 *
 * @throws ERR_DATA for a corpus or tokenizer that is missing, malformed or empty, with file and line; ERR_FORMAT for prepared data that is
 *   damaged, with the file, and for a folder that holds something else; ERR_CONFIG for a schedule of pairs that cannot be kept; ERR_IO;
 *   ERR_BUSY where another process prepares the same folder; ERR_ABORTED. A folder that is replaced stays until all of what is to come is
 *   written. What is finished when the process is killed or stopped, or the disk is full, is not done again by the next start
 */
export async function prepareData(given: Config, options: PrepareOptions = {}): Promise<PreparedData> {
  const {folder = join(given.output, 'data'), readInput = false, onProgress, signal} = options;
  const config = await withStandardInput(given, {folder, isReplaced: readInput});
  const corpora = await corporaOf(config);
  const breather = createBreather(signal);
  const progress = createProgress(onProgress);
  const state = await fileState(config, corpora);
  const {fingerprint} = state;
  const known = await matchingManifest(folder, fingerprint);
  if (known === undefined) await build(folder, {config, corpora, state, breather, progress, signal});
  else await removeFinished(folder, fingerprint);
  const manifest = known ?? (await matchingManifest(folder, fingerprint));
  if (manifest === undefined) throw new CrossmapError('ERR_INTERNAL', `${folder} is not what was written`);
  const {context} = config.model;
  const opened = await openFolder(folder, manifest, {context, breather, progress});
  const mixture = planMixture(opened.shards, config);
  return {
    folder,
    reused: known !== undefined,
    identity: identityOf(manifest),
    tokenizer: opened.tokenizer,
    languages: manifest.texts.map(({language}) => language),
    shards: opened.shards,
    heldOut: opened.heldOut,
    report: describeData({manifest, mixture, config, ...opened}),
  };
}

interface Preparation {
  readonly config: Config;
  readonly corpora: Corpora;
  readonly state: FileState;
  readonly breather: Breather;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal | undefined;
}

/** Goes on with what an earlier start has finished for the same files and options, and publishes the folder once all is done. */
async function build(folder: string, preparation: Preparation): Promise<void> {
  const {config, corpora, state} = preparation;
  const journal = await openJournal(folder, state.fingerprint);
  try {
    await buildFolder({...preparation, journal});
    if ((await fileState(config, corpora)).fingerprint !== state.fingerprint)
      throw new CrossmapError('ERR_DATA', 'a corpus was changed while it was read; prepare the data again');
    await journal.publish(folder);
  } catch (cause) {
    const error = asOurs(cause, folder);
    // Where nothing can be written nothing can be removed either: the first failure is the one to tell.
    await (mayGoOn(error) ? journal.pause() : journal.discard()).catch(() => undefined);
    throw error;
  }
  await journal.discard();
}

/** Whether the same files and options can still give the data: a stop or a full disk says nothing against them. */
function mayGoOn(error: unknown): boolean {
  return error instanceof CrossmapError && (error.code === 'ERR_ABORTED' || error.code === 'ERR_IO');
}

/** An error of the file system, which is met in writing alone, as ERR_IO; any other as it is. */
function asOurs(cause: unknown, folder: string): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause)) return cause;
  return new CrossmapError('ERR_IO', `cannot write ${folder}: ${cause.message}`, {cause});
}

/** The manifest of a folder that has what the fingerprint stands for. */
async function matchingManifest(folder: string, fingerprint: string): Promise<Manifest | undefined> {
  if (!existsSync(folder)) return undefined;
  const manifest = await readManifest(folder);
  return manifest?.fingerprint === fingerprint ? manifest : undefined;
}

/**
 * Opens the training batches of prepared data, at the start.
 *
 * @throws ERR_CONFIG for a list in `data.mappingSchedule` that cannot be scaled to `data.mappingShare`
 */
export function openBatches(data: PreparedData, config: Config): BatchStream {
  const {identity, tokenizer, shards} = data;
  return createBatchStream({data: identity, mixture: planMixture(shards, config), tokenizer, config});
}
