/** Numbers as a terminal shows them: as in the report, in characters that every terminal and search has. */
import * as page from '../report/format.js';

/** 950, 12.3 k, 4.5 M. */
export const count = (value: number): string => plain(page.count(value));

/** 950 bytes, 1.5 GiB. */
export const bytes = (value: number): string => plain(page.bytes(value));

/** 48 s, 2 min 31 s, 3 h 05 min. */
export const duration = (seconds: number): string => plain(page.duration(seconds));

/** Significant digits as needed: 4.213, 12.5, 1,204, 3.1e-5. */
export const number = (value: number, digits?: number): string => plain(page.number(value, digits));

/** As many decimals as asked for. */
export const fixed = (value: number, decimals: number): string => plain(page.fixed(value, decimals));

/** `1 step`, `2 steps`. */
export const plural = (amount: number, noun: string): string => plain(page.plural(amount, noun));

function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ').replaceAll('−', '-').replaceAll('∞', 'infinity');
}

/** Both ends of an interval: `0.201 to 0.312`. */
export function interval([low, high]: readonly [number, number]): string {
  return `${fixed(low, 3)} to ${fixed(high, 3)}`;
}
