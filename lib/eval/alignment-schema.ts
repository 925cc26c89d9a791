/** The shape of an alignment that was written as JSON. */
import {z} from 'zod';
import type {PairAlignment} from './results.js';

/** JSON has no NaN: a value that was not finite is written as null and is not a number again here. */
export const numberOrNaN = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);

const both = z.tuple([numberOrNaN, numberOrNaN]);

/** The type holds the schema to `PairAlignment`. */
export const alignmentSchema = z.object({
  source: z.string(),
  target: z.string(),
  pairs: z.number(),
  lacByLayer: z.array(numberOrNaN),
  intervalByLayer: z.array(both),
  closenessByLayer: z.array(numberOrNaN),
  retrievalByLayer: z.array(numberOrNaN),
  lac: numberOrNaN,
  interval: both,
  peak: numberOrNaN,
  precisionAt1: z.array(both),
  marginErrorByLayer: z.array(both),
  mexaByLayer: z.array(numberOrNaN),
  meanCosineByLayer: z.array(numberOrNaN),
  ckaByLayer: z.array(numberOrNaN),
  flags: z.array(z.enum(['fewPairs', 'tooFewPairs', 'collapsed'])),
}) satisfies z.ZodType<PairAlignment>;
