/** When pairs come: how much of their work is due by which part of training. */
import type {Config} from '../../config/index.js';
import {CrossmapError} from '../../errors.js';

/** Share of the work on pairs that is due once a share `progress` of training is over; rises from 0 to 1. */
export type Schedule = (progress: number) => number;

/** What a schedule is made from. */
export interface ScheduleOptions {
  readonly schedule: Config['data']['mappingSchedule'];
  /** Share of all tokens that pairs take. */
  readonly share: number;
  readonly steps: number;
}

/** A part of training with one share of pairs: it ends at `until` (share of training) and pairs take `share` of its tokens. */
interface Stage {
  readonly until: number;
  readonly share: number;
}

/**
 * The schedule of a configuration. All schedules spread the same work, so all of them see the same pairs the same number of times:
 * the shares of a list are scaled so that their mean over training is `mappingShare`.
 *
 * @throws ERR_CONFIG for a list whose scaled shares exceed 1, or are all 0
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const stages = stagesOf(options);
  return (progress) => {
    let [from, sum] = [0, 0];
    for (const {until, share} of stages) {
      sum += share * Math.max(0, Math.min(progress, until) - from);
      from = until;
    }
    return options.share === 0 ? 1 : sum / options.share;
  };
}

function stagesOf({schedule, share, steps}: ScheduleOptions): Stage[] {
  if (schedule === 'constant') return [{until: 1, share}];
  if (schedule === 'late')
    return [
      {until: 1 - share, share: 0},
      {until: 1, share: 1},
    ];
  const listed = schedule.map(([, each], i): Stage => ({
    until: (schedule[i + 1]?.[0] ?? steps) / steps,
    share: each,
  }));
  return scaled([{until: (schedule[0]?.[0] ?? 0) / steps, share: 0}, ...listed], share);
}

function scaled(stages: readonly Stage[], share: number): Stage[] {
  let [from, mean] = [0, 0];
  for (const stage of stages) {
    mean += stage.share * (stage.until - from);
    from = stage.until;
  }
  const factor = share / mean;
  const highest = Math.max(...stages.map((stage) => stage.share * factor));
  if (mean === 0 || highest > 1)
    throw new CrossmapError(
      'ERR_CONFIG',
      `data.mappingSchedule has a mean share of ${mean.toPrecision(3)}, which is scaled to data.mappingShare (${share}); ` +
        (mean === 0
          ? 'one share at least must be above 0'
          : `the highest share would become ${highest.toPrecision(3)}, and must not exceed 1`),
    );
  return stages.map((stage) => ({...stage, share: stage.share * factor}));
}
