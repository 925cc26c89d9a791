/** METHOD section 3 written down once more, for clarity rather than speed; and worlds to measure. */
import {createRandom} from '../../lib/eval/random.js';

export type Matrix = number[][];

export interface ReferenceLac {
  readonly closeness: number;
  readonly retrieval: number;
  readonly lac: number;
}

export function referenceLac(x: Matrix, y: Matrix, counts?: {x: number[]; y: number[]}): ReferenceLac {
  const [a, b] = prepared(regressed(x, counts?.x), regressed(y, counts?.y));
  const n = x.length;
  const scores = a.map((row) => b.map((other) => sum(row.map((v, f) => v * other[f]!))));
  const own = sum(scores.map((row, i) => row[i]!)) / n;
  const all = sum(scores.flat()) / n ** 2;
  const closeness = Math.max(-1, (own - all) / (1 - all));
  const columns = scores.map((_, j) => scores.map((row) => row[j]!));
  const gains = [2, 4, 8, 16, 32]
    .filter((m) => m <= n)
    .map((m) => {
      const wins = [scores, columns].flatMap((side) =>
        side.map((row, i) => {
          const rivals = row.filter((_, j) => j !== i);
          const above = rivals.filter((s) => s - row[i]! > 1e-12).length;
          const tied = rivals.filter((s) => Math.abs(s - row[i]!) <= 1e-12).length;
          return win(n, above, tied, m - 1);
        }),
      );
      return (sum(wins) / wins.length - 1 / m) / (1 - 1 / m);
    });
  const retrieval = sum(gains) / gains.length;
  return {closeness, retrieval, lac: (closeness + retrieval) / 2};
}

/** METHOD's closed form, by logarithms of factorials. */
export function win(n: number, a: number, e: number, k: number): number {
  const ratio = (m: number): number => Math.exp(logChoose(m, k + 1) - logChoose(n - 1, k));
  return (ratio(n - a) - ratio(n - 1 - a - e)) / (e + 1);
}

function logChoose(n: number, k: number): number {
  return k < 0 || k > n ? -Infinity : logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

function logFactorial(n: number): number {
  return sum(Array.from({length: n}, (_, i) => Math.log(i + 1)));
}

function regressed(x: Matrix, counts?: number[]): Matrix {
  const n = x.length;
  const logs = (counts ?? x.map(() => 1)).map(Math.log);
  const meanLog = sum(logs) / n;
  const power = sum(logs.map((l) => (l - meanLog) ** 2));
  const columns = x[0]!.map((_, f) => {
    const column = x.map((row) => row[f]!);
    const mean = sum(column) / n;
    const slope = power > 0 ? sum(column.map((v, i) => v * (logs[i]! - meanLog))) / power : 0;
    return column.map((v, i) => v - mean - slope * (logs[i]! - meanLog));
  });
  return x.map((_, i) => columns.map((column) => column[i]!));
}

function prepared(x: Matrix, y: Matrix): [Matrix, Matrix] {
  const n = x.length;
  const variances = x[0]!.map((_, f) => sum([...x, ...y].map((row) => row[f]! ** 2)) / (2 * n));
  const floor = 1e-6 * Math.max(...variances);
  const scaled = (rows: Matrix): Matrix =>
    rows
      .map((row) => row.map((v, f) => v / Math.sqrt(Math.max(variances[f]!, floor))))
      .map((row) => row.map((v) => v / Math.hypot(...row)));
  return [scaled(x), scaled(y)];
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function flat(rows: Matrix): Float64Array {
  return Float64Array.from(rows.flat());
}

/** [rows, columns] standard normal numbers. */
export function normal(rows: number, columns: number, seed: number): Matrix {
  const random = createRandom(seed, 7);
  const draw = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  return Array.from({length: rows}, () => Array.from({length: columns}, draw));
}

/** Two languages that share a part of the variance, each with its own offset. */
export function world(n: number, d: number, share: number, seed: number): {x: Matrix; y: Matrix} {
  const meaning = normal(n, d, seed);
  const side = (noise: Matrix, offset: number): Matrix =>
    meaning.map((row, i) =>
      row.map((v, f) => Math.sqrt(share) * v + Math.sqrt(1 - share) * noise[i]![f]! + offset * Math.sin(f)),
    );
  return {x: side(normal(n, d, seed + 1), 1), y: side(normal(n, d, seed + 2), -2)};
}
