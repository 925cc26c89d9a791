/** LAC at the best layer, without the bias of picking a maximum. */
import {lacOfLayer, mean} from './lac.js';
import {createRandom} from './random.js';
import {pickSentences, type Sentences} from './sentences.js';

/**
 * The layer is chosen on one half of the pairs and read on the other, both ways, and averaged: the largest of several
 * noisy values of one sample is too large.
 */
export function twoFoldPeak(sentences: Sentences, n: number, seed: number): number {
  const [a, b] = randomHalves(n, seed).map((rows) => profile(pickSentences(sentences, rows)));
  return mean([readAtBest(a ?? [], b ?? []), readAtBest(b ?? [], a ?? [])]);
}

/** What layers 1..layers have, without the embedding at 0; all, where there is no layer beside it. */
export function aboveEmbedding<Value>(hiddenStates: readonly Value[]): readonly Value[] {
  return hiddenStates.length > 1 ? hiddenStates.slice(1) : hiddenStates;
}

/** LAC at layers 1..layers. */
function profile({layers, options}: Sentences): number[] {
  return aboveEmbedding(layers).map((layer) => lacOfLayer(layer, options).lac);
}

function readAtBest(chosenOn: readonly number[], readOn: readonly number[]): number {
  return readOn[chosenOn.indexOf(Math.max(...chosenOn))] ?? 0;
}

function randomHalves(n: number, seed: number): [number[], number[]] {
  const random = createRandom(seed, 1);
  const rows = Array.from({length: n}, (_, i) => ({i, key: random.uniform()}));
  const shuffled = rows.sort((a, b) => a.key - b.key || a.i - b.i).map(({i}) => i);
  return [shuffled.slice(0, n >> 1), shuffled.slice(n >> 1)];
}
