/** Finds text of training that is like a sentence of the test set. */

/** Letters of a shingle. */
const shingleLength = 5;

/** Sentences that others are compared with. */
export interface SentenceIndex {
  /** Adds a sentence. */
  add(sentence: string): void;
  /** Whether a sentence has this Jaccard similarity, or a higher one, to one that was added. */
  has(sentence: string, similarity: number): boolean;
}

/**
 * An index by sets of five letters; case, punctuation and white space count for nothing. The similarity is exact.
 *
 * @see Chaudhuri et al. 2006, "A primitive operator for similarity joins in data cleaning", for looking at the rarest members alone
 */
export function createSentenceIndex(): SentenceIndex {
  const sets: ReadonlySet<string>[] = [];
  const owners = new Map<string, number[]>();
  const ownersOf = (shingle: string): readonly number[] => owners.get(shingle) ?? [];
  return {
    add(sentence) {
      const shingles = shinglesOf(sentence);
      for (const shingle of shingles) {
        const list = owners.get(shingle);
        if (list) list.push(sets.length);
        else owners.set(shingle, [sets.length]);
      }
      sets.push(shingles);
    },
    has(sentence, similarity) {
      const shingles = shinglesOf(sentence);
      // What is alike lacks so few of the shingles that it has one of any choice of this size: the rarest are the quickest.
      const enough = shingles.size - Math.ceil(similarity * shingles.size) + 1;
      const rarest = [...shingles].sort((a, b) => ownersOf(a).length - ownersOf(b).length).slice(0, enough);
      const candidates = new Set(rarest.flatMap(ownersOf));
      return [...candidates].some((owner) => {
        const other = sets[owner] ?? new Set();
        let shared = 0;
        for (const shingle of shingles) if (other.has(shingle)) shared++;
        return shared >= similarity * (other.size + shingles.size - shared);
      });
    },
  };
}

function shinglesOf(sentence: string): Set<string> {
  const letters = sentence
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
  const shingles = new Set<string>();
  for (let at = 0; at + shingleLength <= letters.length; at++)
    shingles.add(letters.slice(at, at + shingleLength));
  if (shingles.size === 0) shingles.add(letters);
  return shingles;
}
