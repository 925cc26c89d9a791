/** How many rivals beat or tie the true partner, and what that is worth. */

// Scores closer than this differ by rounding only.
const tieWithin = 1e-12;

/** For each sentence: rivals that score higher than the true partner, and rivals that tie with it. */
export interface RivalCounts {
  readonly above: Int32Array;
  readonly tied: Int32Array;
}

/** Whether a rival's score is above the partner's by more than rounding. */
export function isAbove(rival: number, partner: number): boolean {
  return rival - partner > tieWithin;
}

/**
 * Counts rivals in each row (axis `rows`: y among all y for a given x) or column of the scores.
 *
 * @param scores [n, n], true partners on the diagonal
 */
export function countRivals(scores: Float64Array, n: number, axis: 'rows' | 'columns'): RivalCounts {
  const above = new Int32Array(n);
  const tied = new Int32Array(n);
  const [own, step] = axis === 'rows' ? [n, 1] : [1, n];
  for (let i = 0; i < n; i++) {
    const partner = scores[i * n + i] ?? 0;
    let [a, e] = [0, 0];
    for (let j = 0; j < n; j++) {
      const rival = scores[i * own + j * step] ?? 0;
      if (isAbove(rival, partner)) a++;
      else if (!isAbove(partner, rival)) e++;
    }
    above[i] = a;
    tied[i] = e - 1; // the partner ties with itself
  }
  return {above, tied};
}

/** Of each sentence whether its partner comes first, a tie for first place counting by its chance. */
export function firstChances({above, tied}: RivalCounts): Float64Array {
  return Float64Array.from(above, (rivals, i) => (rivals === 0 ? 1 / (1 + (tied[i] ?? 0)) : 0));
}

/**
 * `win(a, e, k)`: the probability that the true partner beats k rivals drawn without replacement from the n - 1, where a
 * of them score higher and e tie, ties broken at random.
 *
 * With r rivals ahead it is `beat(r) = choose(n - 1 - r, k) / choose(n - 1, k)`; random order among the tied makes r
 * uniform on a..a + e. The mean of those equals METHOD's closed form (a telescoping sum), and as a product of ratios it
 * loses no digits to large binomials.
 */
export function winTable(n: number, k: number): (above: number, tied: number) => number {
  const beat = new Float64Array(n);
  for (let r = 0; r < n; r++) {
    let chance = 1;
    for (let t = 0; t < k && chance > 0; t++) chance *= Math.max(0, n - 1 - r - t) / (n - 1 - t);
    beat[r] = chance;
  }
  const sums = new Float64Array(n + 1);
  for (let r = 0; r < n; r++) sums[r + 1] = (sums[r] ?? 0) + (beat[r] ?? 0);
  return (above, tied) =>
    tied === 0 ? (beat[above] ?? 0) : ((sums[above + tied + 1] ?? 0) - (sums[above] ?? 0)) / (tied + 1);
}
