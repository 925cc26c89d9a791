/** How much of training each corpus gets. */

/** A corpus to be mixed. */
export interface MixedCorpus {
  /** UTF-8 bytes. */
  readonly bytes: number;
  /** Tokens of one pass through it. */
  readonly tokens: number;
}

/** How corpora are mixed: `data` of the configuration, and how much there is to fill. */
interface MixOptions {
  readonly alpha: number;
  readonly maxEpochs: number;
  /** Tokens that training takes of all corpora together. */
  readonly budget: number;
}

/** The shares, and whether they go through every corpus more often than `maxEpochs`. */
interface Mix {
  /** [corpora] shares of the tokens, summing to 1; 0 for a corpus without tokens, and where there is no budget. */
  readonly shares: readonly number[];
  readonly exhausted: boolean;
}

/**
 * Shares in proportion to bytes^alpha, except that no corpus is gone through more than `maxEpochs` times: what that takes from one is
 * spread over the others by the same rule. If all of them hit the cap, all keep the shares of the cap.
 *
 * @see Chung et al. 2023 (UniMax), arXiv:2304.09151
 */
export function mixShares(corpora: readonly MixedCorpus[], {alpha, maxEpochs, budget}: MixOptions): Mix {
  if (budget === 0) return {shares: corpora.map(() => 0), exhausted: false};
  const shares = corpora.map(() => 0);
  const caps = corpora.map(({tokens}) => (maxEpochs * tokens) / budget);
  const weights = corpora.map(({bytes, tokens}) => (tokens > 0 ? bytes ** alpha : 0));
  // Those nearest to their cap go first: whatever one leaves, the ones after it can still take.
  const order = corpora.map((_, i) => i).filter((i) => (weights[i] ?? 0) > 0);
  const room = (i: number): number => (caps[i] ?? 0) / (weights[i] ?? 1);
  order.sort((a, b) => room(a) - room(b) || a - b);
  let weightLeft = order.reduce((sum, i) => sum + (weights[i] ?? 0), 0);
  let shareLeft = 1;
  for (const i of order) {
    const fair = (shareLeft * (weights[i] ?? 0)) / weightLeft;
    shares[i] = Math.min(fair, caps[i] ?? 0);
    weightLeft -= weights[i] ?? 0;
    shareLeft -= shares[i] ?? 0;
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (total === 0) return {shares, exhausted: false};
  return {shares: shares.map((share) => share / total), exhausted: total < 1 - 1e-9};
}
