/** What generation is asked to do, checked. */
import {CrossmapError} from '../errors.js';
import type {Choice} from './choose-token.js';
import type {DecoderShape} from './shape.js';

/** How sequences are continued. */
export interface GenerateOptions {
  /** New tokens, at most; one number, or one per prompt. A sequence also ends at the model's context. */
  readonly maxNewTokens: number | readonly number[];
  /** Ids that end a sequence; they are not part of it. Default none. */
  readonly stopTokens?: readonly number[];
  /** Divides the logits, >= 0; 0 (default) is greedy: the most likely token, the lowest id of equals. */
  readonly temperature?: number;
  /** Draws only from that many most likely tokens; default all. */
  readonly topK?: number;
  /** Draws only from the most likely tokens whose probabilities reach this share, in (0, 1]; default 1. */
  readonly topP?: number;
  /** Of the draws; default 0. */
  readonly seed?: number;
  /** Whether the prompt is attended to in both directions, as prefix-LM training does; default false. */
  readonly prefix?: boolean;
  /** Stops the work: the call then throws ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** The same with every default filled in. */
export interface Plan {
  /** [sequences] empty where nothing may follow. */
  readonly prompts: readonly Int32Array[];
  /** [sequences] new tokens, at most, within the context. */
  readonly limits: readonly number[];
  readonly stopTokens: ReadonlySet<number>;
  readonly choice: Choice;
  readonly seed: number;
  readonly prefix: boolean;
}

/** @throws ERR_ARGUMENT */
export function checkedPlan(
  {context}: DecoderShape,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): Plan {
  const {stopTokens = [], temperature = 0, topK = Infinity, topP = 1, seed = 0, prefix = false} = options;
  checkPrompts(prompts, context);
  if (!(temperature >= 0 && temperature < Infinity))
    refuse(`temperature must be a number, 0 or more; got ${temperature}`);
  if (topK !== Infinity && !(Number.isInteger(topK) && topK >= 1))
    refuse(`topK must be a whole number, 1 or more; got ${topK}`);
  if (!(topP > 0 && topP <= 1)) refuse(`topP must be above 0 and at most 1; got ${topP}`);
  const limits = limitsOf(prompts, options.maxNewTokens, context);
  return {
    prompts: prompts.map((prompt, sequence) => (limits[sequence] === 0 ? new Int32Array() : prompt)),
    limits,
    stopTokens: new Set(stopTokens),
    choice: {temperature, topK, topP},
    seed,
    prefix,
  };
}

function checkPrompts(prompts: readonly Int32Array[], context: number): void {
  for (const [sequence, {length}] of prompts.entries()) {
    if (length === 0) refuse(`prompt ${sequence} must have at least one token`);
    if (length >= context)
      refuse(
        `prompt ${sequence} must be shorter than the model's context (${context}); got ${length} tokens`,
      );
  }
}

function limitsOf(
  prompts: readonly Int32Array[],
  wanted: GenerateOptions['maxNewTokens'],
  context: number,
): number[] {
  if (typeof wanted !== 'number' && wanted.length !== prompts.length)
    refuse(
      `maxNewTokens must be one number, or one for each of ${prompts.length} prompts; got ${wanted.length}`,
    );
  return prompts.map(({length}, sequence) => {
    const limit = typeof wanted === 'number' ? wanted : wanted[sequence];
    if (limit === undefined || !Number.isInteger(limit) || limit < 0)
      return refuse(`maxNewTokens must be a whole number, 0 or more; got ${limit}`);
    return Math.min(limit, context - length);
  });
}

function refuse(message: string): never {
  throw new CrossmapError('ERR_ARGUMENT', `generate: ${message}`);
}
