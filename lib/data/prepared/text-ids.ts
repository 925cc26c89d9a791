/** Numbers for the texts of pairs, so that a batch knows which of its pairs share one. */
import {createHashIndex} from '../corpus/hash.js';
import type {Scan} from '../corpus/scan.js';
import type {CorpusPlan} from '../held-out/plan.js';

/** The number of a text of a training pair by its hash. */
export type TextIds = (hash: number) => number;

/** Numbers in the order in which the pairs have the texts, whichever of them is encoded first. */
export function textIdsOf(scan: Scan, plan: CorpusPlan): TextIds {
  const index = createHashIndex();
  for (const [i, {fates}] of plan.pairs.entries()) {
    const scanned = scan.pairs[i];
    for (let pair = 0; pair < fates.length; pair++) {
      if (fates.at(pair) !== 'keep' || scanned === undefined) continue;
      index.add(scanned.x.at(pair));
      index.add(scanned.y.at(pair));
    }
  }
  return (hash) => index.add(hash);
}
