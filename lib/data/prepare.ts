/** From the files of a configuration to a folder that training reads: corpora, tokenizer, shards, held-out sets, report. */
import type {Config} from '../config/index.js';
import type {HeldOut} from './held-out/held-out.js';
import type {DataReport} from './report.js';
import type {BatchStream} from './sampling/stream.js';
import type {Tokenizer} from './tokenizer/tokenizer.js';

/** What preparation is doing. */
export interface DataProgress {
  readonly stage: 'scan' | 'tokenizer' | 'encode' | 'load';
  /** Share of the stage that is done, 0 to 1. */
  readonly done: number;
}

/** How data is prepared. */
export interface PrepareOptions {
  /** Where the prepared data lies; default `<config.output>/data`. It is made anew when it does not fit the configuration. */
  readonly folder?: string;
  /** Called some ten times a second at most. */
  readonly onProgress?: (progress: DataProgress) => void;
  readonly signal?: AbortSignal;
}

/** A folder of prepared data, opened. */
export interface PreparedData {
  readonly folder: string;
  /** Whether what lay in the folder fitted the configuration and the files, and was taken as it was. */
  readonly reused: boolean;
  /** Identity of the prepared data: equal for equal text, tokenizer and options, wherever it lies. */
  readonly identity: string;
  readonly tokenizer: Tokenizer;
  /** All languages, sorted. */
  readonly languages: readonly string[];
  readonly heldOut: HeldOut;
  readonly report: DataReport;
}

/**
 * Prepares the data of a configuration: cleans and filters the corpora, cuts the held-out sets, trains or loads the tokenizer and
 * writes token shards. Does nothing but check them where the folder already has what these files and options give.
 *
 * @throws ERR_DATA for a corpus or tokenizer that is missing, malformed or empty, with file and line; ERR_IO; ERR_ABORTED; whatever
 *   happens, the folder holds what it held before, or all of what was to come
 */
export declare function prepareData(config: Config, options?: PrepareOptions): Promise<PreparedData>;

/**
 * Opens the training batches of prepared data, at the start.
 *
 * @throws ERR_FORMAT for a shard that is damaged, with its name
 */
export declare function openBatches(data: PreparedData, config: Config): BatchStream;
