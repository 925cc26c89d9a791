/** Which name was meant: the nearest one by edit distance, blind to case and to the style of the word gaps. */

/**
 * The candidate nearest to `name`, or undefined where none is near: at most a third of the letters, and at least one, may differ.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const plain = normalized(name);
  const limit = Math.max(1, Math.floor(plain.length / 3));
  let best: {readonly candidate: string; readonly distance: number} | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(plain, normalized(candidate));
    if (distance <= limit && distance < (best?.distance ?? Infinity)) best = {candidate, distance};
  }
  return best?.candidate;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({length: b.length + 1}, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

function normalized(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ]/g, '');
}
