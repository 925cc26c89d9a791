/** Of what is there several times, which one stays. */
import type {DocumentFate, PairFate} from '../corpus/filter.js';
import {createHashIndex} from '../corpus/hash.js';

/** Texts among which there may be duplicates. */
interface Candidates<Fate> {
  /** Only those that are kept have duplicates. */
  readonly fates: readonly Fate[];
  /** Equal for equal texts. */
  readonly hashes: Float64Array;
  /** Of texts that are nearly the same the lowest stays. */
  readonly ranks: Float64Array;
  /** The first of those that are nearly the same; absent: equal texts alone count. */
  readonly groups: Int32Array | undefined;
}

/**
 * Fates in which of equal texts all but the first are `duplicate`, and of those that are nearly the same all but one `nearDuplicate`:
 * which one stays does not depend on the order of files.
 */
export function markDuplicates<Fate extends DocumentFate | PairFate>({
  fates,
  hashes,
  ranks,
  groups,
}: Candidates<Fate>): (Fate | 'duplicate' | 'nearDuplicate')[] {
  const marked: (Fate | 'duplicate' | 'nearDuplicate')[] = [...fates];
  const seen = createHashIndex();
  const best = new Map<number, number>();
  for (const [i, fate] of fates.entries()) {
    if (fate !== 'keep') continue;
    const before = seen.size;
    if (seen.add(hashes[i] ?? 0) < before) {
      marked[i] = 'duplicate';
      continue;
    }
    const group = groups?.[i];
    if (group === undefined) continue;
    const other = best.get(group);
    const isBetter = other === undefined || (ranks[i] ?? 0) < (ranks[other] ?? 0);
    if (isBetter) best.set(group, i);
    if (other !== undefined) marked[isBetter ? other : i] = 'nearDuplicate';
  }
  return marked;
}
