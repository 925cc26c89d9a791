/** Text kept out of training, to measure it. */
import {CrossmapError} from '../../errors.js';
import type {Batch} from '../batch.js';
import {hashNumbers} from '../corpus/hash.js';
import {createPacker, leadingControls, type Packer} from '../sampling/packer.js';
import type {Shard} from '../shards/shard.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import {windows} from './windows.js';

/** Held-out documents of one language, packed. */
export interface HeldOutBatch {
  /**
   * Segments of one language, `<bos> <xx> text <eos>`. A document longer than the context comes as overlapping segments with strides
   * of half a context; the repeated half has weight 0. So the targets with weight > 0 are each token of the text, and `<eos>`, once.
   */
  readonly batch: Batch;
  /**
   * UTF-8 bytes of the text that the targets with weight > 0 spell. Exact for whole documents; the bytes of a document in several batches
   * are spread by its tokens, and their sum is exact.
   */
  readonly bytes: number;
}

/** Held-out sentence pairs of two languages. */
export interface HeldOutPairs {
  /** Language of `sources`. */
  readonly source: string;
  /** Language of `targets`. */
  readonly target: string;
  /** [pairs] cleaned text; no sentence occurs twice on its side. The order is fixed, and any first part a sample of all. */
  readonly sources: readonly string[];
  /** [pairs] translations of `sources`. */
  readonly targets: readonly string[];
}

/** How much held-out text is wanted, and in what pieces. */
export interface HeldOutOptions {
  /** Tokens per language, at most, counted in whole documents; at least one document. Default: all. */
  readonly textTokens?: number;
  /** Tokens of one batch, at most. */
  readonly tokensPerBatch: number;
}

/** The held-out sets of a prepared data set. */
export interface HeldOut {
  /** Languages with held-out documents. */
  readonly languages: readonly string[];
  /**
   * Held-out documents of a language as batches, in an order that files do not decide: any first part is a sample of all.
   *
   * @throws ERR_ARGUMENT for a language without held-out documents, or `tokensPerBatch` below the context
   */
  text(language: string, options: HeldOutOptions): HeldOutBatch[];
  /** One entry for each language pair that has held-out pairs. */
  readonly pairs: readonly HeldOutPairs[];
}

/** Held-out documents of one language, each a text of the shard. */
export interface HeldOutText {
  readonly language: string;
  readonly shard: Shard;
}

/** What held-out sets are opened from. */
interface HeldOutSources {
  readonly tokenizer: Tokenizer;
  readonly texts: readonly HeldOutText[];
  readonly pairs: readonly HeldOutPairs[];
  /** Tokens of the longest segment. */
  readonly context: number;
}

/** The held-out sets over their sources. */
export function createHeldOut({tokenizer, texts, pairs, context}: HeldOutSources): HeldOut {
  const filled = texts.filter(({shard}) => shard.texts > 0);
  const languages = filled.map(({language}) => language);
  return {
    languages,
    pairs,
    text(language, {textTokens = Infinity, tokensPerBatch}) {
      const text = filled.find((each) => each.language === language);
      if (text === undefined)
        throw new CrossmapError(
          'ERR_ARGUMENT',
          `no text of ${language} is held out; there is text of ${languages.join(', ') || 'no language'}`,
        );
      if (tokensPerBatch < context)
        throw new CrossmapError(
          'ERR_ARGUMENT',
          `tokensPerBatch must be ${context} or more, so that the longest segment fits; got ${tokensPerBatch}`,
        );
      const packer = createPacker({tokenizer, tokensPerBatch, prefix: false, sourceWeight: 0});
      return packDocuments(text, {packer, tokensPerBatch, context, textTokens});
    },
  };
}

interface PackOptions {
  readonly packer: Packer;
  readonly tokensPerBatch: number;
  readonly context: number;
  readonly textTokens: number;
}

function packDocuments({language, shard}: HeldOutText, options: PackOptions): HeldOutBatch[] {
  const {packer, tokensPerBatch, context, textTokens} = options;
  const batches: HeldOutBatch[] = [];
  let [bytes, tokens] = [0, 0];
  const finish = (): void => {
    batches.push({batch: packer.finish(), bytes});
    bytes = 0;
  };
  for (const [place, document] of inFixedOrder(shard).entries()) {
    tokens += shard.length(document);
    if (place > 0 && tokens > textTokens) break;
    const all = shard.text(document);
    for (const {start, end, counted} of windows(all.length, context)) {
      const ends = end === all.length;
      if (end - start + leadingControls + (ends ? 1 : 0) > packer.room()) finish();
      packer.addText({language, tokens: all.subarray(start, end)}, {ends, unweighted: counted - start});
      const bytesUntil = (token: number): number =>
        Math.round((token / all.length) * shard.byteLength(document));
      bytes += bytesUntil(end) - bytesUntil(counted);
    }
  }
  if (packer.room() < tokensPerBatch) finish();
  return batches;
}

/** Documents by a hash of their tokens. */
function inFixedOrder(shard: Shard): number[] {
  const ranked = Array.from({length: shard.texts}, (_, document) => {
    let rank = 0;
    for (const token of shard.text(document)) rank = hashNumbers(rank, token);
    return {document, rank};
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({document}) => document);
}
