/** A few of the texts that are left out, so that a user sees whether the filters are right. */
import {hashText} from '../corpus/hash.js';

/** Texts that one reason left out. */
interface Example {
  readonly reason: string;
  /** At most 200 letters of it; of a pair both sides, with a tab between. */
  readonly text: string;
}

/** Of each reason so many. */
const perReason = 3;

const longest = 200;

/** Keeps the hash that chooses examples apart from the others. */
const seed = 0x0e1a;

/** Chooses examples. */
interface Examples {
  add(reason: string, text: string): void;
  /** Those of each reason with the lowest hashes: the order of files does not change them. */
  chosen(): Example[];
}

/** None yet. */
export function createExamples(): Examples {
  const byReason = new Map<string, {readonly text: string; readonly rank: number}[]>();
  return {
    add(reason, text) {
      const chosen = byReason.get(reason) ?? [];
      byReason.set(reason, chosen);
      const rank = hashText(text, seed);
      if (chosen.length === perReason && rank >= (chosen.at(-1)?.rank ?? 0)) return;
      if (chosen.some((each) => each.rank === rank)) return;
      chosen.push({text: text.length > longest ? `${text.slice(0, longest).trimEnd()}…` : text, rank});
      chosen.sort((a, b) => a.rank - b.rank).splice(perReason);
    },
    chosen: () => [...byReason].flatMap(([reason, all]) => all.map(({text}) => ({reason, text}))),
  };
}
