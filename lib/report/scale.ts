/** Axes: which range a chart shows, where its ticks stand, and where a value lies. */
interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface Scale {
  readonly kind: 'linear' | 'log';
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly Tick[];
  /** 0 at `low`, 1 at `high`. */
  position(value: number): number;
}

/** Widest ratio of values that a linear axis still shows well. */
const logFrom = 30;

/**
 * A linear scale around the values, a little wider than they are.
 *
 * @param include values that must be in range, such as 0
 */
export function linearScale(
  values: readonly number[],
  include: readonly number[] = [],
  tickCount = 4,
): Scale {
  const [least, most] = extent([...include, ...values]);
  const room = most > least ? 0.04 * (most - least) : 0.1 * (Math.abs(most) || 1);
  const low = include.includes(least) ? least : least - room;
  const high = include.includes(most) && most !== least ? most : most + room;
  return scale('linear', low, high, linearTicks(low, high, tickCount));
}

/** A logarithmic scale where the values span a wide range and all are positive; else linear. */
export function wideScale(values: readonly number[]): Scale {
  const [least, most] = extent(values);
  return least <= 0 || most < logFrom * least ? linearScale(values) : logScale(values);
}

/** A logarithmic scale. @param values above 0 */
export function logScale(values: readonly number[]): Scale {
  const [least, most] = extent(values);
  const [low, high] = [least / 1.15, most * 1.15];
  return scale('log', low, high, logTicks(low, high));
}

/** The steps of a run, from 0. */
export function stepScale(lastStep: number): Scale {
  const high = Math.max(1, lastStep);
  return scale(
    'linear',
    0,
    high,
    linearTicks(0, high, 4).filter(({value}) => Number.isInteger(value)),
  );
}

function scale(kind: Scale['kind'], low: number, high: number, ticks: readonly Tick[]): Scale {
  const at = kind === 'log' ? Math.log : (value: number): number => value;
  return {kind, low, high, ticks, position: (value) => (at(value) - at(low)) / (at(high) - at(low))};
}

/** Smallest and largest finite value; 0 and 1 if there is none. */
export function extent(values: readonly number[]): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least <= most ? [least, most] : [0, 1];
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function linearTicks(low: number, high: number, wanted: number): Tick[] {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.8) ?? 10);
  const first = Math.ceil(low / unit - 1e-9);
  const last = Math.floor(high / unit + 1e-9);
  return labelled(Array.from({length: last - first + 1}, (_, i) => (first + i) * unit));
}

/** Powers of ten, with 2 and 5 times them where the range is short. */
function logTicks(low: number, high: number): Tick[] {
  const factors = high / low > 1000 ? [1] : [1, 2, 5];
  const lowest = Math.floor(Math.log10(low));
  const powers = Array.from({length: Math.ceil(Math.log10(high)) - lowest + 1}, (_, i) => lowest + i);
  const values = powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)));
  // Each as it is written best: a long axis has no unit that suits both of its ends.
  return values
    .filter((value) => value >= low && value <= high)
    .map((value) => tick(value, writerFor(value)));
}

/** One way of writing for all ticks of an axis. */
function labelled(values: readonly number[]): Tick[] {
  const write = writerFor(Math.max(...values.map(Math.abs)));
  return values.map((value) => tick(value, write));
}

function tick(value: number, write: (value: number) => string): Tick {
  return {value, label: value === 0 ? '0' : write(value).replaceAll('-', '−')};
}

/** In millions or thousands, as powers of ten, or plainly. */
function writerFor(largest: number): (value: number) => string {
  return largest >= 1e6 ? inUnits(1e6, 'M') : largest >= 1e4 ? inUnits(1e3, 'k') : plainly(largest);
}

const digits = (value: number): string => String(Number(value.toPrecision(4)));

function inUnits(size: number, unit: string): (value: number) => string {
  return (value) => digits(value / size) + unit;
}

function plainly(largest: number): (value: number) => string {
  return largest < 0.01 ? (value) => Number(value.toPrecision(4)).toExponential() : digits;
}
