/** Where the stages of a curriculum end. */
import type {Config} from './config.js';

/**
 * The steps of training that are over once each stage is; the last stage ends with training, whatever the shares sum to.
 *
 * @returns [stages]
 */
export function stageEnds(stages: NonNullable<Config['data']['stages']>, steps: number): number[] {
  let sum = 0;
  return stages.map(({share}, index) => {
    sum += share;
    return index === stages.length - 1 ? steps : Math.round(sum * steps);
  });
}
