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
 * @param draw in [0, 1): where in the cumulative distribution the token lies
 */
export function chooseToken(logits: Float32Array, choice: Choice, draw: number): number {
  const best = mostLikely(logits);
  const {temperature, topK, topP} = choice;
  if (temperature === 0) return best;
  const top = logits[best] ?? 0;
  const weighted = Array.from(logits, (logit, token) => ({
    token,
    weight: Math.exp((logit - top) / temperature),
  }));
  // Sorting the vocabulary takes longer than all the rest, and matters only where something is cut.
  const isCut = topK < logits.length || topP < 1;
  const kept = isCut ? nucleus(weighted.sort(byWeight).slice(0, topK), topP) : weighted;
  let left = draw * total(kept);
  for (const {token, weight} of kept) {
    left -= weight;
    if (left < 0) return token;
  }
  return best; // the last subtraction may leave a rounding error above 0
}

function mostLikely(logits: Float32Array): number {
  let [best, top] = [0, -Infinity];
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token] ?? top;
    if (logit > top) [best, top] = [token, logit];
  }
  return best;
}

function byWeight(a: Candidate, b: Candidate): number {
  return b.weight - a.weight || a.token - b.token;
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
