/** What a child that calls functions tells. */
import {z} from 'zod';

/** What came of the calls. */
export interface Counts {
  /** Calls that gave a result. */
  accepted: number;
  /** Calls that were refused with a code, or with a TypeError. */
  refused: number;
  /** Calls that ended with what a hostile getter of the caller threw. */
  hostile: number;
  /** Faults of ops that a synchronisation told. */
  faults: number;
  /** Calls that were not spoiled. */
  whole: number;
  readonly byName: Record<string, {accepted: number; refused: number}>;
}

const findingSchema = z.object({finding: z.string(), number: z.int(), name: z.string(), args: z.string()});

/** A call that ended as none may. */
export type Finding = z.output<typeof findingSchema>;

const count = z.int();

const countsSchema = z.object({
  counts: z.object({
    accepted: count,
    refused: count,
    hostile: count,
    faults: count,
    whole: count,
    byName: z.record(z.string(), z.object({accepted: count, refused: count})),
  }),
});

/** A line of a child's output. */
export const lineSchema = z.union([findingSchema, countsSchema]);

/** Adds up what several children counted. */
export function addCounts(total: Counts, more: Counts): void {
  for (const key of ['accepted', 'refused', 'hostile', 'faults', 'whole'] as const) total[key] += more[key];
  for (const [name, {accepted, refused}] of Object.entries(more.byName)) {
    const known = (total.byName[name] ??= {accepted: 0, refused: 0});
    known.accepted += accepted;
    known.refused += refused;
  }
}
