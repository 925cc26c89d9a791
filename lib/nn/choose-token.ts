/** Which token comes next. */

/** How a token is drawn from logits. */
export interface Choice {
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
}

interface Candidate {
  readonly token: number;
  readonly weight: number;
}

/**
 * The most likely token, the lowest id of equals, at temperature 0; else one drawn from the softmax of logits / temperature, cut first
 * to the `topK` most likely and then to the fewest of those whose probabilities reach `topP`.
 *
 * @param logits [vocab] finite
 * @param draw in [0, 1): where in the cumulative distribution, most likely first, the token lies
 */
export function chooseToken(logits: Float32Array, {temperature, topK, topP}: Choice, draw: number): number {
  const best = logits.reduce((most, logit, token) => (logit > (logits[most] ?? 0) ? token : most), 0);
  if (temperature === 0) return best;
  const top = logits[best] ?? 0;
  const ordered = Array.from(logits, (logit, token) => ({
    token,
    weight: Math.exp((logit - top) / temperature),
  }))
    .sort((a, b) => b.weight - a.weight || a.token - b.token)
    .slice(0, topK);
  const kept = nucleus(ordered, topP);
  let left = draw * total(kept);
  for (const {token, weight} of kept) {
    left -= weight;
    if (left < 0) return token;
  }
  // The last subtraction may leave a rounding error above 0.
  return kept.at(-1)?.token ?? best;
}

function nucleus(ordered: readonly Candidate[], topP: number): readonly Candidate[] {
  if (topP >= 1) return ordered;
  const enough = topP * total(ordered);
  let sum = 0;
  const last = ordered.findIndex(({weight}) => (sum += weight) >= enough);
  return ordered.slice(0, last + 1);
}

function total(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, {weight}) => sum + weight, 0);
}
