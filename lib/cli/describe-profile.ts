/** Where the time of profiled steps went, for people. */
import type {OpTime} from '../profile/index.js';
import {bytes, fixed, plural} from './format.js';
import {table} from './table.js';

/** What was recorded of some steps. */
export interface ProfileSummary {
  /** `4-8`. */
  readonly steps: string;
  readonly stepCount: number;
  /** Of the recording. */
  readonly seconds: number;
  readonly dropped: number;
  /** The longest first. */
  readonly rows: readonly OpTime[];
}

// Of the time at work: what takes less is one row together.
const leastShare = 0.002;

/** A line for each op and pass. */
export function describeProfile({steps, stepCount, seconds, dropped, rows}: ProfileSummary): string[] {
  const head = `profile of ${plural(stepCount, 'step')} (${steps}): ${fixed(seconds / stepCount, 3)} s each`;
  const lost = dropped > 0 ? [`${plural(dropped, 'event')} had no room: times are too low`] : [];
  if (rows.length === 0)
    return [head, ...lost, 'the work of a GPU is not seen: the trace has the calls alone'];
  const busySeconds = rows.reduce((sum, each) => sum + each.seconds, 0);
  const coreSeconds = rows.reduce((sum, each) => sum + each.coreSeconds, 0);
  const shown = rows.filter(({seconds: time}) => time >= leastShare * busySeconds);
  const rest = rows.slice(shown.length);
  const share = (time: number): string => `${fixed((100 * time) / seconds, 1)} %`;
  const milliseconds = (time: number): string => fixed((time / stepCount) * 1e3, 2);
  const restSeconds = rest.reduce((sum, each) => sum + each.seconds, 0);
  return [
    head,
    ...lost,
    '',
    ...table(
      ['op', 'in', 'share', 'ms a step', 'tasks a step', 'GFLOP/s', 'tensors'],
      [
        ...shown.map(({name, within, tasks, seconds: time, flops, bytes: moved}) => [
          name,
          within,
          share(time),
          milliseconds(time),
          fixed(tasks / stepCount, 0),
          flops === undefined ? '' : fixed(flops / time / 1e9, 1),
          bytes(moved / stepCount),
        ]),
        ...(rest.length > 0
          ? [[`${rest.length} others`, '', share(restSeconds), milliseconds(restSeconds), '', '', '']]
          : []),
        ['idle', '', share(seconds - busySeconds), milliseconds(seconds - busySeconds), '', '', ''],
      ],
    ),
    '',
    `While it worked the executor had a core for ${fixed((100 * coreSeconds) / busySeconds, 0)} % of the time.`,
  ];
}
