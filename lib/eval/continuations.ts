/** How likely a decoder finds continuations of contexts: what choices are ranked by. */
import {noGrad} from '../autograd/index.js';
import {CrossmapError} from '../errors.js';
import {decoderInput, type Decoder, type PackedTokens} from '../nn/index.js';
import {indices} from '../nn/input.js';
import {linearCrossEntropy} from '../ops/index.js';
import {scope, tensor, type Tensor} from '../tensor/index.js';
import {checkSignal} from './checked-signal.js';

/** A continuation to be scored. */
export interface Continuation {
  /** [tokens] what comes before, from `<bos>` on; at least one. */
  readonly context: ArrayLike<number>;
  /** [tokens] */
  readonly tokens: ArrayLike<number>;
  /** First tokens of the context that are attended to in both directions; default 0. */
  readonly prefixLength?: number;
}

/** How continuations are scored. */
export interface ScoreOptions {
  /** Tokens that the decoder gets at once, at most, unless one continuation alone has more. */
  readonly tokensPerBatch: number;
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * The log-likelihood of each continuation in nats: the sum over its tokens, given the context and the tokens before. Contexts longer than
 * the decoder's lose their beginning, as far as the continuation needs the room.
 *
 * @returns [continuations]
 * @throws ERR_ARGUMENT for a continuation without tokens or context, or longer than the decoder's context; ERR_ABORTED
 */
export async function scoreContinuations(
  decoder: Decoder,
  continuations: readonly Continuation[],
  {tokensPerBatch, signal}: ScoreOptions,
): Promise<Float64Array> {
  const scores = new Float64Array(continuations.length);
  const segments = continuations.map((each, index) => segmentOf(each, index, decoder.shape.context));
  for (let first = 0; first < segments.length;) {
    checkSignal(signal);
    const taken = segments.slice(first, first + countThatFit(segments, first, tokensPerBatch));
    using logProbabilities = noGrad(() => scoreTargets(decoder, packed(taken)));
    const values = await logProbabilities.floats();
    let at = 0;
    for (const [index, {tokens}] of taken.entries()) {
      let sum = 0;
      for (const value of values.subarray(at, at + tokens.length)) sum += value;
      scores[first + index] = sum;
      at += tokens.length;
    }
    first += taken.length;
  }
  return scores;
}

/** Context and continuation as one segment. The last token of the continuation is a target alone. */
interface Segment {
  readonly tokens: readonly number[];
  /** The next token where it is of the continuation; -1 elsewhere. */
  readonly targets: readonly number[];
  readonly prefixLength: number;
}

function segmentOf(
  {context, tokens, prefixLength = 0}: Continuation,
  index: number,
  longest: number,
): Segment {
  if (context.length === 0)
    throw new CrossmapError('ERR_ARGUMENT', `continuation ${index} has no context: <bos> is one`);
  if (tokens.length === 0 || tokens.length > longest)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `continuation ${index} must have 1 to ${longest} tokens, the context of the decoder; it has ${tokens.length}`,
    );
  const kept = Array.from(context).slice(-(longest - tokens.length + 1));
  const all = [...kept, ...Array.from(tokens)];
  return {
    tokens: all.slice(0, -1),
    targets: all.slice(1).map((token, position) => (position + 1 >= kept.length ? token : -1)),
    prefixLength: Math.max(0, prefixLength - (context.length - kept.length)),
  };
}

function countThatFit(segments: readonly Segment[], first: number, tokensPerBatch: number): number {
  let [count, used] = [0, 0];
  for (const {tokens} of segments.slice(first)) {
    used += tokens.length;
    if (count > 0 && used > tokensPerBatch) break;
    count++;
  }
  return count;
}

interface Packed extends PackedTokens {
  /** [tokens] -1 where there is none. */
  readonly targets: Int32Array;
}

function packed(segments: readonly Segment[]): Packed {
  const starts = [0];
  for (const {tokens} of segments) starts.push((starts.at(-1) ?? 0) + tokens.length);
  return {
    tokens: Int32Array.from(segments.flatMap(({tokens}) => tokens)),
    positions: Int32Array.from(segments.flatMap(({tokens}) => tokens.map((_, position) => position))),
    segmentStarts: Int32Array.from(starts),
    prefixLengths: Int32Array.from(segments, ({prefixLength}) => prefixLength),
    targets: Int32Array.from(segments.flatMap(({targets}) => targets)),
  };
}

/** float32 [tokens] log-probability of each target, 0 where there is none. */
function scoreTargets(decoder: Decoder, {targets, ...input}: Packed): Tensor {
  const {device, head} = decoder;
  return scope(() => {
    const {hidden} = decoder.forward(decoderInput(input, device));
    const weights = tensor(
      Float32Array.from(targets, (target) => (target === -1 ? 0 : 1)),
      {device},
    );
    const options = {weights, normalizer: 1, logProbabilities: true} as const;
    return linearCrossEntropy(hidden, head, indices(targets, device), options).logProbabilities;
  });
}
