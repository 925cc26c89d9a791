/** Numbers on the command line. */
import {InvalidArgumentError} from 'commander';

/** Reads a whole number. @param minimum the least that is taken */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < minimum)
      throw new InvalidArgumentError(`It must be a whole number, ${minimum} or more.`);
    return value;
  };
}

/** Reads a number from 0 on. */
export function numberFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It must be a number, 0 or more.');
  return value;
}

/** Reads a share above 0, at most 1. */
export function shareAboveZero(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('It must be a number above 0, at most 1.');
  return value;
}
