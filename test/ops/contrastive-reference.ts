/** The contrastive loss by its definition, in float64 and with all scores in memory: what the op is compared with. */
import {exact, type Round} from '../support/rounding.js';

export interface ReferenceOptions {
  readonly temperature: number;
  readonly margin?: number;
  readonly groups?: readonly number[];
  readonly groupMode?: 'mask' | 'positives' | 'none';
  readonly scope?: 'cross' | 'both';
  readonly threshold?: number;
  readonly negatives?: Matrix;
  readonly weights?: readonly number[];
  readonly oneDirectional?: boolean;
}

export type Matrix = readonly (readonly number[])[];

/** `round` stands around each tensor that a materialised form would store. */
export function contrastiveLoss(
  x: Matrix,
  y: Matrix,
  options: ReferenceOptions,
  round: Round = exact,
): number {
  const {weights = x.map(() => 1), oneDirectional = false} = options;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [u, v, z] = [x, y, options.negatives ?? []].map((rows) => rows.map((row) => unit(row, round)));
  const mean = (from: Matrix, to: Matrix): number =>
    from.reduce((sum, _, i) => sum + weights[i]! * rowLoss(i, {from, to, negatives: z!}, options, round), 0) /
    total;
  return oneDirectional ? mean(u!, v!) : (mean(u!, v!) + mean(v!, u!)) / 2;
}

interface UnitRows {
  readonly from: Matrix;
  readonly to: Matrix;
  readonly negatives: Matrix;
}

function rowLoss(
  i: number,
  {from, to, negatives}: UnitRows,
  options: ReferenceOptions,
  round: Round,
): number {
  const {temperature, margin = 0, groupMode = 'mask', scope = 'cross', threshold = Infinity} = options;
  const groups = groupMode === 'none' ? undefined : options.groups;
  const isGroup = (j: number): boolean => j === i || (groups !== undefined && groups[i] === groups[j]);
  const isPositive = (j: number): boolean => j === i || (groupMode === 'positives' && isGroup(j));
  const score = (row: readonly number[]): number => round(dot(from[i]!, row));
  const limit = score(to[i]!) + threshold;
  const positives = to.flatMap((row, j) =>
    isPositive(j) ? [round((score(row) - margin) / temperature)] : [],
  );
  const others = [
    ...to.filter((_, j) => !isGroup(j)),
    ...(scope === 'both' ? from.filter((_, j) => !isGroup(j)) : []),
    ...negatives,
  ];
  const kept = others.map(score).filter((s) => s <= limit);
  const logits = [...positives, ...kept.map((s) => round(s / temperature))];
  const target = positives.reduce((sum, logit) => sum + logit, 0) / positives.length;
  return round(logSumExp(logits, round) - target);
}

function unit(row: readonly number[], round: Round): number[] {
  const norm = Math.sqrt(dot(row, row));
  return row.map((value) => (norm === 0 ? 0 : round(value / norm)));
}

function logSumExp(values: readonly number[], round: Round): number {
  const max = Math.max(...values);
  return max + Math.log(values.reduce((sum, value) => sum + round(Math.exp(value - max)), 0));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}

/** Flat elements as rows. */
export function rowsOf(values: readonly number[], features: number): number[][] {
  return Array.from({length: values.length / features}, (_, row) =>
    values.slice(row * features, (row + 1) * features),
  );
}
