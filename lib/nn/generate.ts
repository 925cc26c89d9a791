/** Generation: prompts are read at once, then one token per sequence and step through a cache of keys and values. */
import {CrossmapError} from '../errors.js';
import {uniform} from '../ops/index.js';
import {Cache} from './cache.js';
import {chooseToken} from './choose-token.js';
import type {Decoder} from './decoder.js';
import {checkedPlan, type GenerateOptions, type Plan} from './generation-plan.js';
import {readLogits, type Pass} from './next-logits.js';

/** A token as it is generated. */
export interface GeneratedToken {
  /** Which prompt it continues, from 0. */
  readonly sequence: number;
  /** Id in the vocabulary. */
  readonly token: number;
}

/**
 * Continues prompts, all in one batch, and yields each token when it is known: in each step one for every sequence that has not ended.
 *
 * @param prompts each [tokens], at least one token
 * @throws ERR_ARGUMENT for an empty prompt, one that fills the context, or an option out of range; ERR_INDEX for an id that is not in
 *   the vocabulary; ERR_DIVERGED where the model gives logits that are not finite; ERR_ABORTED
 */
export async function* generate(
  decoder: Decoder,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedToken, void, undefined> {
  const plan = checkedPlan(decoder.shape, prompts, options);
  const draws = await drawsOf(plan);
  const cache = new Cache(
    decoder,
    prompts.map(({length}, sequence) => ({
      capacity: length + (plan.limits[sequence] ?? 0),
      prefix: plan.prefix ? length : 0,
    })),
  );
  try {
    let chunks = plan.prompts;
    for (let step = 0; chunks.some(({length}) => length > 0); step++) {
      checkSignal(options.signal);
      const chosen = await chooseTokens({decoder, cache, chunks}, plan, (sequence) => draws(sequence, step));
      chunks = chunks.map((_, sequence) => {
        const token = chosen.get(sequence);
        const isLast = token === undefined || step + 1 >= (plan.limits[sequence] ?? 0);
        return isLast ? new Int32Array() : Int32Array.of(token);
      });
      for (const [sequence, token] of chosen) yield {sequence, token};
    }
  } finally {
    cache.dispose();
  }
}

/**
 * Continues prompts to their ends.
 *
 * @returns the new tokens of each sequence, in the order of the prompts
 * @throws as `generate`
 */
export async function generateAll(
  decoder: Decoder,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): Promise<Int32Array[]> {
  const sequences = prompts.map((): number[] => []);
  for await (const {sequence, token} of generate(decoder, prompts, options)) sequences[sequence]?.push(token);
  return sequences.map((tokens) => Int32Array.from(tokens));
}

/** The next token of each sequence that is read from, unless it is one that ends it. */
async function chooseTokens(
  pass: Pass,
  {choice, stopTokens}: Plan,
  draw: (sequence: number) => number,
): Promise<ReadonlyMap<number, number>> {
  const chosen = new Map<number, number>();
  for (const [sequence, own] of await readLogits(pass)) {
    const token = chooseToken(own, choice, draw(sequence));
    if (!stopTokens.has(token)) chosen.set(sequence, token);
  }
  return chosen;
}

/** Uniform numbers in [0, 1), one for each sequence and step; the same whichever sequences have ended. */
async function drawsOf({choice, limits, seed}: Plan): Promise<(sequence: number, step: number) => number> {
  if (choice.temperature === 0) return () => 0;
  const steps = Math.max(0, ...limits);
  using numbers = uniform([limits.length, steps], {seed});
  const values = await numbers.floats();
  return (sequence, step) => values[sequence * steps + step] ?? 0;
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CrossmapError('ERR_ABORTED', 'generate: stopped by its signal');
}
