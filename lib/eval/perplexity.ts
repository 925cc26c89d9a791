/** Held-out perplexity by language, from the negative log-likelihood of each token. */
import {CrossmapError} from '../errors.js';
import {createExactSum, type ExactSum} from './exact-sum.js';
import type {LanguagePerplexity} from './results.js';

/** Tokens of one language whose likelihood has been measured. */
export interface ScoredText {
  /** Whose result it counts for. */
  readonly language: string;
  /** [tokens] negative log-likelihood in nats, `<eos>` included. */
  readonly nll: ArrayLike<number>;
  /** [tokens] 0 leaves a token out (control tokens, context that is counted elsewhere); default: all count. */
  readonly weights?: ArrayLike<number>;
  /** Length in UTF-8 bytes of the text that the counted tokens spell. */
  readonly bytes: number;
}

/** Sums of what has been scored so far. */
export interface Perplexity {
  /** @throws ERR_ARGUMENT when a counted value is not finite, or lengths or bytes do not fit; nothing is added then */
  add(text: ScoredText): void;
  /** One entry per language, in the order of first appearance; languages without a counted token are left out. */
  results(): LanguagePerplexity[];
}

interface Totals {
  readonly nats: ExactSum;
  tokens: number;
  bytes: number;
}

/**
 * Accumulates perplexity: `exp(nats / tokens)`, and bits per byte `nats / (ln 2 · bytes)`, which can be compared across
 * tokenizers. Sums are exact, so neither the order nor the batches in which texts come change a digit.
 */
export function createPerplexity(): Perplexity {
  const languages = new Map<string, Totals>();
  return {
    add(text) {
      check(text);
      const totals = languages.get(text.language) ?? {nats: createExactSum(), tokens: 0, bytes: 0};
      languages.set(text.language, totals);
      for (let t = 0; t < text.nll.length; t++) {
        if (!isCounted(text, t)) continue;
        totals.nats.add(text.nll[t] ?? 0);
        totals.tokens++;
      }
      totals.bytes += text.bytes;
    },
    results: () =>
      [...languages]
        .filter(([, {tokens}]) => tokens > 0)
        .map(([language, totals]) => summary(language, totals)),
  };
}

function summary(language: string, {nats, tokens, bytes}: Totals): LanguagePerplexity {
  const total = nats.value();
  return {
    language,
    natsPerToken: total / tokens,
    perplexity: Math.exp(total / tokens),
    bitsPerByte: total / (Math.LN2 * bytes),
    tokens,
    bytes,
  };
}

function isCounted({weights}: ScoredText, t: number): boolean {
  return weights === undefined || weights[t] !== 0;
}

function check(text: ScoredText): void {
  const {language, nll, weights, bytes} = text;
  const tokens = nll.length;
  if (weights !== undefined && weights.length !== tokens)
    fail(`weights must be [${tokens}] to match nll of ${language}; got [${weights.length}]`);
  let counted = 0;
  for (let t = 0; t < tokens; t++) {
    if (!isCounted(text, t)) continue;
    if (!Number.isFinite(nll[t])) fail(`nll of ${language} must be finite; token ${t} has ${nll[t]}`);
    counted++;
  }
  if (!Number.isSafeInteger(bytes) || bytes < 0 || (counted > 0 && bytes === 0))
    fail(
      `bytes of ${language} must be the whole number of UTF-8 bytes of ${counted} counted tokens; got ${bytes}`,
    );
}

function fail(message: string): never {
  throw new CrossmapError('ERR_ARGUMENT', `perplexity: ${message}`);
}
