/** Choosing the true translation among those of other sentences. */
import {translationPrompt, type HeldOutPairs, type Tokenizer} from '../data/index.js';
import {lengthInLetters} from '../data/corpus/clean.js';
import {CrossmapError} from '../errors.js';
import type {Decoder} from '../nn/index.js';
import {choiceScores, type ChoiceScores} from './choice.js';
import {scoreContinuations, type Continuation, type ScoreOptions} from './continuations.js';
import {createRandom} from './random.js';

/** How candidates are drawn. */
export interface TranslationChoiceOptions extends ScoreOptions {
  /** Candidates of each sentence, the true translation among them; default 4. */
  readonly candidates?: number;
  /** Of the choice of candidates. */
  readonly seed: number;
  /** Whether the source is attended to in both directions, as `objectives.mapping.prefix` trains it. */
  readonly prefix: boolean;
}

/**
 * Translation choice: how often a model finds the true translation more likely, given the source, than those of other sentences that are
 * about as long. A score that also a model has which cannot translate yet.
 *
 * @returns as for choice tasks; `chance` is 1 / candidates
 * @throws ERR_ARGUMENT for fewer pairs than candidates; ERR_ABORTED
 */
export async function translationChoice(
  decoder: Decoder,
  tokenizer: Tokenizer,
  pairs: HeldOutPairs,
  {candidates = 4, seed, prefix, ...options}: TranslationChoiceOptions,
): Promise<ChoiceScores> {
  const {source, target, sources, targets} = pairs;
  if (!Number.isSafeInteger(candidates) || candidates < 2 || targets.length < candidates)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `translationChoice: candidates must be a whole number from 2 to the pairs (${targets.length}); got ${candidates}`,
    );
  const drawn = drawCandidates(targets, candidates, seed);
  const encoded = await tokenizer.encodeAll(targets);
  const items: {readonly continuations: Continuation[]; readonly choices: string[]}[] = [];
  for (const [index, text] of sources.entries()) {
    const context = await translationPrompt(tokenizer, {source, target, text});
    const chosen = drawn[index] ?? [];
    items.push({
      choices: chosen.map((at) => targets[at] ?? ''),
      continuations: chosen.map((at) => ({
        context,
        tokens: [...(encoded[at] ?? []), tokenizer.eos],
        ...(prefix && {prefixLength: context.length}),
      })),
    });
  }
  const scores = await scoreContinuations(
    decoder,
    items.flatMap(({continuations}) => continuations),
    options,
  );
  return choiceScores(
    items.map(({choices}, index) => ({choices, answer: (drawn[index] ?? []).indexOf(index)})),
    scores,
  );
}

/** Texts among which the others are drawn: so many times as many as are drawn, those that are closest in length. */
const poolSize = 4;

/** [texts][candidates] indices, that of the text itself among them at a random place; no text twice. */
function drawCandidates(texts: readonly string[], candidates: number, seed: number): number[][] {
  const random = createRandom(seed, 2);
  const lengths = texts.map(lengthInLetters);
  const byLength = texts
    .map((_, index) => index)
    .sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const drawn: number[][] = [];
  for (const [place, index] of byLength.entries()) {
    const pool = nearestOthers(texts, {byLength, place, count: poolSize * (candidates - 1)});
    const chosen = [index];
    while (chosen.length < candidates && pool.length > 0)
      chosen.push(...pool.splice(random.below(pool.length), 1));
    const at = random.below(chosen.length);
    [chosen[0], chosen[at]] = [chosen[at] ?? index, index];
    drawn[index] = chosen;
  }
  return drawn;
}

interface Neighbourhood {
  /** Indices by the length of their texts. */
  readonly byLength: readonly number[];
  /** Whose neighbours are wanted, in `byLength`. */
  readonly place: number;
  readonly count: number;
}

/** The other texts that are closest in length, each text once. */
function nearestOthers(texts: readonly string[], {byLength, place, count}: Neighbourhood): number[] {
  const seen = new Set([texts[byLength[place] ?? 0]]);
  const found: number[] = [];
  for (let distance = 1; found.length < count && distance < byLength.length; distance++)
    for (const at of [place - distance, place + distance]) {
      const index = byLength[at];
      const text = index === undefined ? undefined : texts[index];
      if (index === undefined || seen.has(text) || found.length === count) continue;
      seen.add(text);
      found.push(index);
    }
  return found;
}
