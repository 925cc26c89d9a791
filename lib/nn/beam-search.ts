/** Beam search: the likeliest of several continuations that are followed side by side. */
import {CrossmapError} from '../errors.js';
import {Cache} from './cache.js';
import type {Decoder} from './decoder.js';
import {checkedPlan} from './generation-plan.js';
import {readLogits} from './next-logits.js';

/** How continuations are searched. */
export interface BeamOptions {
  /** Continuations of each prompt that are followed, at least 1; 1 is greedy. */
  readonly beams: number;
  /** New tokens, at most; one number, or one per prompt. A sequence also ends at the model's context. */
  readonly maxNewTokens: number | readonly number[];
  /** Ids that end a sequence; they are not part of it. Default none. */
  readonly stopTokens?: readonly number[];
  /** Continuations are compared by log-likelihood / length^lengthPenalty, the stop token counted; default 1. */
  readonly lengthPenalty?: number;
  /** Whether the prompt is attended to in both directions, as prefix-LM training does; default false. */
  readonly prefix?: boolean;
  /** Stops the work: the call then throws ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** A continuation that was found. */
export interface BeamResult {
  /** [new tokens] */
  readonly tokens: Int32Array;
  /** Log-likelihood in nats, of the stop token too, divided by length^lengthPenalty. */
  readonly score: number;
}

/**
 * Continues each prompt by the best continuation that a beam search finds. A prompt is done when no open continuation can become better
 * than the best `beams` that have ended.
 *
 * @param prompts each [tokens], at least one token
 * @returns in the order of the prompts
 * @throws ERR_ARGUMENT for an empty prompt, one that fills the context, or an option out of range; ERR_INDEX for an id that is not in
 *   the vocabulary; ERR_DIVERGED where the model gives logits that are not finite; ERR_ABORTED
 */
export async function beamSearch(
  decoder: Decoder,
  prompts: readonly Int32Array[],
  options: BeamOptions,
): Promise<BeamResult[]> {
  const {beams, lengthPenalty = 1} = options;
  if (!Number.isSafeInteger(beams) || beams < 1)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `beamSearch: beams must be a whole number of at least 1; got ${beams}`,
    );
  if (!Number.isFinite(lengthPenalty))
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `beamSearch: lengthPenalty must be a number; got ${lengthPenalty}`,
    );
  const plan = checkedPlan(decoder.shape, prompts, options);
  const searches = plan.prompts.map((prompt, index) =>
    createSearch({
      prompt,
      firstSlot: index * beams,
      beams,
      lengthPenalty,
      limit: plan.limits[index] ?? 0,
      stopTokens: plan.stopTokens,
    }),
  );
  const cache = new Cache(
    decoder,
    prompts.flatMap(({length}, index) =>
      Array.from({length: beams}, () => ({
        capacity: length + (plan.limits[index] ?? 0),
        prefix: plan.prefix ? length : 0,
      })),
    ),
  );
  try {
    while (searches.some((search) => search.isOpen())) {
      if (options.signal?.aborted === true)
        throw new CrossmapError('ERR_ABORTED', 'beamSearch: stopped by its signal');
      const chunks = searches.flatMap((search) => search.chunks());
      const logits = await readLogits({decoder, cache, chunks});
      for (const search of searches) if (search.isOpen()) search.advance(logits, cache);
    }
  } finally {
    cache.dispose();
  }
  return searches.map((search) => search.best());
}

/** A continuation that has not ended. */
interface Beam {
  /** Sequence of the cache that holds it. */
  readonly slot: number;
  readonly tokens: readonly number[];
  readonly logLikelihood: number;
}

interface SearchOptions {
  readonly prompt: Int32Array;
  readonly firstSlot: number;
  readonly beams: number;
  readonly lengthPenalty: number;
  readonly limit: number;
  readonly stopTokens: ReadonlySet<number>;
}

/** The search of one prompt. */
interface Search {
  isOpen(): boolean;
  /** [beams] what each of its sequences reads next. */
  chunks(): Int32Array[];
  /** Takes the logits after what `chunks` gave, and moves what the cache holds to where the chosen beams are. */
  advance(logits: ReadonlyMap<number, Float32Array>, cache: Cache): void;
  best(): BeamResult;
}

function createSearch({prompt, firstSlot, beams, lengthPenalty, limit, stopTokens}: SearchOptions): Search {
  let open: readonly Beam[] = limit > 0 ? [{slot: firstSlot, tokens: [], logLikelihood: 0}] : [];
  let isFirst = true;
  const ended: BeamResult[] = [];
  const scoreOf = (logLikelihood: number, length: number): number =>
    length === 0 ? 0 : logLikelihood / length ** lengthPenalty;
  const end = (tokens: readonly number[], score: number): void => {
    ended.push({tokens: Int32Array.from(tokens), score});
    ended.sort((a, b) => b.score - a.score).splice(beams);
  };
  return {
    isOpen: () => open.length > 0,
    chunks() {
      const bySlot = new Map(open.map((beam) => [beam.slot, beam]));
      return Array.from({length: beams}, (_, at) => {
        const beam = bySlot.get(firstSlot + at);
        if (beam === undefined) return new Int32Array();
        return isFirst ? prompt : Int32Array.from(beam.tokens.slice(-1));
      });
    },
    advance(logits, cache) {
      isFirst = false;
      const chosen: {readonly parent: Beam; readonly token: number; readonly logLikelihood: number}[] = [];
      for (const candidate of likeliest(open, logits, 2 * beams)) {
        const {parent, token, logLikelihood} = candidate;
        const length = parent.tokens.length + 1;
        if (stopTokens.has(token)) end(parent.tokens, scoreOf(logLikelihood, length));
        else if (length === limit) end([...parent.tokens, token], scoreOf(logLikelihood, length));
        else if (chosen.length < beams) chosen.push(candidate);
      }
      const [first] = chosen;
      const worst = ended.length === beams ? (ended.at(-1)?.score ?? -Infinity) : -Infinity;
      // Longer continuations are less likely: what is not better now will not be, unless length is rewarded.
      const reach =
        first && scoreOf(first.logLikelihood, lengthPenalty > 0 ? limit : first.parent.tokens.length + 1);
      open = reach === undefined || reach <= worst ? [] : placed(chosen, {cache, firstSlot, beams});
    },
    best: () => ended[0] ?? {tokens: new Int32Array(), score: 0},
  };
}

interface Candidate {
  readonly parent: Beam;
  readonly token: number;
  readonly logLikelihood: number;
}

/** The likeliest next tokens over all beams; of equals the lower id, then the earlier beam. */
function likeliest(
  open: readonly Beam[],
  logits: ReadonlyMap<number, Float32Array>,
  count: number,
): Candidate[] {
  const candidates = open.flatMap((parent) => {
    const own = logits.get(parent.slot) ?? new Float32Array();
    const lse = logSumExp(own);
    return topTokens(own, count).map((token) => ({
      parent,
      token,
      logLikelihood: parent.logLikelihood + (own[token] ?? 0) - lse,
    }));
  });
  return candidates.sort((a, b) => b.logLikelihood - a.logLikelihood || a.token - b.token).slice(0, count);
}

function logSumExp(values: Float32Array): number {
  let most = -Infinity;
  for (const value of values) most = Math.max(most, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - most);
  return most + Math.log(sum);
}

/** Ids of the largest values, largest first. */
function topTokens(values: Float32Array, count: number): number[] {
  const top: number[] = [];
  for (let token = 0; token < values.length; token++) {
    const value = values[token] ?? 0;
    if (top.length === count && value <= (values[top[count - 1] ?? 0] ?? 0)) continue;
    let at = top.length;
    while (at > 0 && (values[top[at - 1] ?? 0] ?? 0) < value) at--;
    top.splice(at, 0, token);
    top.splice(count);
  }
  return top;
}

interface Slots {
  readonly cache: Cache;
  readonly firstSlot: number;
  readonly beams: number;
}

/** The first child of a beam stays in its slot; the others get what it holds, in slots that no beam needs any more. */
function placed(chosen: readonly Candidate[], {cache, firstSlot, beams}: Slots): Beam[] {
  const kept = new Set(chosen.map(({parent}) => parent.slot));
  const free = Array.from({length: beams}, (_, at) => firstSlot + at).filter((slot) => !kept.has(slot));
  const taken = new Set<number>();
  return chosen.map(({parent, token, logLikelihood}) => {
    let {slot} = parent;
    if (taken.has(slot)) {
      slot = free.pop() ?? slot;
      cache.copy(parent.slot, slot);
    }
    taken.add(slot);
    return {slot, tokens: [...parent.tokens, token], logLikelihood};
  });
}
