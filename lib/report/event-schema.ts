/** The shape of a line of metrics.jsonl. */
import {z} from 'zod';
import {alignmentSchema, numberOrNaN} from '../eval/alignment-schema.js';
import type {TrainEvent} from '../train/events.js';

const number = numberOrNaN;

const objectiveLosses = z
  .object({next: number.optional(), mapping: number.optional(), contrastive: number.optional()})
  .transform(({next, mapping, contrastive}) => ({
    ...(next !== undefined && {next}),
    ...(mapping !== undefined && {mapping}),
    ...(contrastive !== undefined && {contrastive}),
  }));

const start = z.object({
  type: z.literal('start'),
  name: z.string(),
  steps: z.number(),
  resumedFrom: z.number(),
  parameters: z.number(),
  device: z.string(),
  dtype: z.string(),
  languages: z.array(z.string()),
  fertility: z
    .array(
      z.object({
        language: z.string(),
        fertility: number,
        tokensPerCharacter: number.exactOptional(),
        bytesPerToken: number,
      }),
    )
    .exactOptional(),
  output: z.string(),
});

const step = z.object({
  type: z.literal('step'),
  step: z.number(),
  loss: number,
  losses: objectiveLosses,
  weights: z.object({next: number, mapping: number, contrastive: number}).exactOptional(),
  learningRate: number,
  gradientNorm: number,
  gradientNorms: objectiveLosses.exactOptional(),
  tokens: z.number(),
  tokensPerSecond: number,
  targetShares: z.object({next: number, mapping: number}).exactOptional(),
  pairs: z.number(),
  comparedPairs: z.number().exactOptional(),
  peakBytes: z.number().exactOptional(),
  seconds: z.number(),
  etaSeconds: number,
});

const perplexity = z.object({
  language: z.string(),
  natsPerToken: number,
  perplexity: number,
  bitsPerByte: number,
  tokens: z.number(),
  bytes: z.number(),
});

const sample = z.object({
  source: z.string(),
  target: z.string(),
  input: z.string(),
  reference: z.string(),
  output: z.string(),
});

const evaluation = z.object({
  type: z.literal('evaluation'),
  step: z.number(),
  perplexity: z.array(perplexity),
  alignment: z.array(alignmentSchema),
  samples: z.array(sample),
  seconds: z.number(),
});

const checkpoint = z.object({
  type: z.literal('checkpoint'),
  step: z.number(),
  path: z.string(),
  seconds: z.number(),
});

const warning = z.object({type: z.literal('warning'), step: z.number(), message: z.string()});

const end = z.object({
  type: z.literal('end'),
  reason: z.enum(['finished', 'aborted']),
  step: z.number(),
  seconds: z.number(),
  peakBytes: z.number(),
});

/** An event as it was written; the type holds the schema to `TrainEvent`. */
export const eventSchema: z.ZodType<TrainEvent> = z.discriminatedUnion('type', [
  start,
  step,
  evaluation,
  checkpoint,
  warning,
  end,
]);
