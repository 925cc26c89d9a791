/** MEXA, the alignment score of earlier work, beside which LAC is reported. */

/**
 * Share of sentences whose translation is more similar than every other sentence of either language, strictly.
 *
 * @param cosines [n, n] of the raw vectors, translations on the diagonal
 * @see Kargaran et al. 2024, arXiv:2410.05873
 */
export function mexa(cosines: Float64Array, n: number): number {
  let hits = 0;
  for (let i = 0; i < n; i++) {
    const partner = cosines[i * n + i] ?? 0;
    let first = true;
    for (let j = 0; j < n && first; j++)
      first = j === i || (partner > (cosines[i * n + j] ?? 0) && partner > (cosines[j * n + i] ?? 0));
    if (first) hits++;
  }
  return hits / n;
}

/** Mean cosine of the translations. */
export function meanCosine(cosines: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += cosines[i * n + i] ?? 0;
  return sum / n;
}
