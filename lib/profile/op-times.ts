/** Where the time of the executor goes, by op. */
import type {ProfileEvent} from './profile.js';

/** The tasks of one name and pass. */
export interface OpTime {
  /** As the tasks are named. */
  readonly name: string;
  /** The span that its op was called in: `forward`, `backward`, `optimizer`; empty without. */
  readonly within: string;
  /** How many there were. */
  readonly tasks: number;
  /** From the begin to the end of each, added up. */
  readonly seconds: number;
  /** Of these seconds, those in which the executor had a core. */
  readonly coreSeconds: number;
  /** Of the tensors that its ops take and give, each once. */
  readonly bytes: number;
  /** Floating-point operations of its products. Absent where shapes do not tell them. */
  readonly flops?: number;
}

/** Adds up the tasks that it is given. */
export interface OpTimes {
  /** Counts the events of tasks; others are passed over. */
  add(events: readonly ProfileEvent[]): void;
  /** The longest first. */
  rows(): readonly OpTime[];
}

interface Sums {
  readonly name: string;
  readonly within: string;
  tasks: number;
  seconds: number;
  coreSeconds: number;
  bytes: number;
  flops: number;
}

/** Adds up nothing yet. Events of one recording are given in order, in as many pieces as one likes. */
export function createOpTimes(): OpTimes {
  const sums = new Map<string, Sums>();
  let lastCall = 0;
  return {
    add(events) {
      for (const {kind, name, within, call, durationUs, coreUs} of events) {
        if (kind !== 'task') continue;
        const key = `${within}\0${name}`;
        const sum = sums.get(key) ?? {name, within, tasks: 0, seconds: 0, coreSeconds: 0, bytes: 0, flops: 0};
        sums.set(key, sum);
        sum.tasks++;
        sum.seconds += durationUs / 1e6;
        sum.coreSeconds += coreUs / 1e6;
        if (call === undefined || call.number === lastCall) continue; // a call may have enqueued several tasks
        lastCall = call.number;
        sum.bytes += call.inputs.bytes + call.outputs.bytes;
        sum.flops += flopsOf(call);
      }
    },
    rows: () =>
      [...sums.values()]
        .sort((a, b) => b.seconds - a.seconds)
        .map(({flops, ...sum}) => ({...sum, ...(flops > 0 && {flops})})),
  };
}

/** Of matrix products, whose shapes tell all; else 0. How much of attention or of a loss is computed, masks and targets decide. */
function flopsOf({name, inputs, outputs}: NonNullable<ProfileEvent['call']>): number {
  const [a, b] = inputs.listed;
  const [y] = outputs.listed;
  if ((name !== 'matmul' && name !== 'linear') || !a || !b || !y) return 0;
  // The sizes are m k, k n and m n, whichever factor is transposed: their product is that of m, k and n, squared.
  return 2 * Math.round(Math.sqrt(elements(a.shape) * elements(b.shape) * elements(y.shape)));
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
