/** Of what is there several times, which one stays. */
import type {Fates} from '../corpus/fates.js';
import {createHashIndex} from '../corpus/hash.js';

/** Texts among which there may be duplicates. */
interface Candidates<Fate extends string> {
  /** Only those that are kept have duplicates. */
  readonly fates: Fates<Fate>;
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
export function markDuplicates<Fate extends string>({
  fates,
  hashes,
  ranks,
  groups,
}: Candidates<Fate | 'keep' | 'duplicate' | 'nearDuplicate'>): Fates<
  Fate | 'keep' | 'duplicate' | 'nearDuplicate'
> {
  const marked = fates.copy();
  const seen = createHashIndex();
  const best = new Int32Array(groups?.length ?? 0).fill(none);
  for (let i = 0; i < fates.length; i++) {
    if (fates.at(i) !== 'keep') continue;
    const before = seen.size;
    if (seen.add(hashes[i] ?? 0) < before) {
      marked.set(i, 'duplicate');
      continue;
    }
    const group = groups?.[i];
    if (group === undefined) continue;
    const other = best[group] ?? none;
    const isBetter = other === none || (ranks[i] ?? 0) < (ranks[other] ?? 0);
    if (isBetter) best[group] = i;
    if (other !== none) marked.set(isBetter ? other : i, 'nearDuplicate');
  }
  return marked;
}

/** The place of no text. */
const none = -1;
