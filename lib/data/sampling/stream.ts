/** What training reads: packed batches, one after the other, from an exact position. */
import type {Batch} from '../batch.js';

/**
 * Where a stream of batches stands. Plain JSON, a few hundred bytes; a checkpoint carries it.
 */
export interface BatchPosition {
  /** Version of this record. */
  readonly version: 1;
  /** Identity of the prepared data that the position belongs to. */
  readonly data: string;
  /** Batches that have been taken. */
  readonly batches: number;
  /** Segments or pairs taken of each source of text, by its name: `text:cs`, `pair:en-cs`. */
  readonly taken: Readonly<Record<string, number>>;
  /** Tokens taken of each source. */
  readonly tokens: Readonly<Record<string, number>>;
}

/** How often a source of text has been gone through. */
export interface SourceEpochs {
  /** `text:cs`, `pair:en-cs`, ... */
  readonly source: string;
  readonly epochs: number;
  readonly tokens: number;
}

/** An endless stream of training batches: the same for the same data, configuration and seed. */
export interface BatchStream {
  /**
   * The next packed batch, of at most `training.tokensPerBatch` tokens. A step of training takes `training.accumulation` of them.
   * Costs about a millisecond and touches no file that is not memory-mapped.
   */
  next(): Batch;
  /** Where the stream stands, to be given to `restore` of a stream over the same data. */
  readonly position: BatchPosition;
  /**
   * Goes to a position: the batches that follow are those that followed when it was taken.
   *
   * @param position read back from JSON, so of any form
   * @throws ERR_CHECKPOINT for what is no position, or one of other data; the stream then stays where it was
   */
  restore(position: unknown): void;
  /** What has been taken so far, by source. */
  epochs(): SourceEpochs[];
}
