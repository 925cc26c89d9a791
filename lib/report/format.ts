/** Numbers, sizes, times and languages as a reader wants to see them. */

/** Keeps a number and its unit on one line. */
const space = '\u00a0';

const format = new Intl.NumberFormat('en');

/** A whole number: 100,000. */
export const grouped = (value: number): string => minus(format.format(Math.round(value)));

/** Significant digits as needed for reading a value off a page: 4.213, 12.5, 1,204, 3.1e-5. */
export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size >= 1e6 || (size < 1e-3 && size > 0)) return exponent(value);
  if (size >= 1000) return grouped(value);
  return minus(fixed(value, Math.max(0, digits - 1 - Math.floor(Math.log10(size || 1)))));
}

/** As many decimals as asked for, however large the value; -0 is 0. */
export function fixed(value: number, decimals: number): string {
  return minus(value.toFixed(decimals).replace(/^-(0(?:\.0*)?)$/, '$1'));
}

function exponent(value: number): string {
  const [mantissa = '', power = ''] = value.toExponential(1).split('e');
  return minus(`${mantissa.replace(/\.0$/, '')}e${power.replace('+', '')}`);
}

function minus(text: string): string {
  return text.replaceAll('-', '−');
}

export function percent(share: number, decimals = 1): string {
  return `${fixed(share * 100, decimals)}${space}%`;
}

/** 950, 12.3 k, 4.5 M, 1.2 G. */
export function count(value: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e4, 'k'],
  ] as const)
    if (value >= size) return `${number(value / (unit === 'k' ? 1e3 : size), 3)}${space}${unit}`;
  return grouped(value);
}

export function bytes(value: number): string {
  for (const [size, unit] of [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const)
    if (value >= size) return `${number(value / size, 3)}${space}${unit}`;
  return `${value}${space}bytes`;
}

/** 48 s, 2 min 31 s, 3 h 05 min. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 1) return `${number(seconds, 2)}${space}s`;
  if (whole < 60) return `${whole}${space}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return [minutes, 'min', pad(whole % 60), 's'].join(space);
  return [Math.floor(minutes / 60), 'h', pad(minutes % 60), 'min'].join(space);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

const names = new Intl.DisplayNames(['en'], {type: 'language', fallback: 'code'});

/** English name of a language code, or the code where it has none. */
export function languageName(code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code; // not a language tag at all: the code is all that is known
  }
}

/** `1 step`, `2 steps`. */
export function plural(amount: number, noun: string): string {
  return `${grouped(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
