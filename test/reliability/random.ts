/** Seeded choices. */
import {uniformNumbers} from '../support/numbers.js';

/** Choices that a seed decides. */
export interface Random {
  /** A number in [0, 1). */
  uniform(): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** Whether something with this probability happens. */
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  const uniform = uniformNumbers(seed);
  const whole = (low: number, high: number): number => low + Math.floor(uniform() * (high - low + 1));
  return {
    uniform,
    whole,
    chance: (probability) => uniform() < probability,
    pick: (values) => values[whole(0, values.length - 1)]!,
  };
}
