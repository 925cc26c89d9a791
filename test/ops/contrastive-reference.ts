/** The contrastive loss by its definition, in float64 and with all scores in memory: what the op is compared with. */
import {exact, type Round} from '../support/rounding.js';

export interface ReferenceOptions {
  readonly temperature: number;
  readonly margin?: number;
  readonly groups?: readonly number[];
  readonly groupMode?: 'mask' | 'positives' | 'none';
  readonly scope?: 'cross' | 'both';
  readonly threshold?: number;
  readonly weights?: readonly number[];
  readonly oneDirectional?: boolean;
}

type Matrix = readonly (readonly number[])[];

/**
 * `round` stands around each tensor that a materialised form would store. Pairs whose group is below 0 are taken away; of none the
 * loss is 0.
 *
 * @param decided the rows whose scores decide what the threshold leaves out, since that is a constant to the gradient; default: the
 *   rows themselves
 */
export function contrastiveLoss(
  sides: Sides,
  options: ReferenceOptions,
  {round = exact, decided = sides}: Details = {},
): number {
  const isPresent = (pair: number): boolean => !(options.groups !== undefined && options.groups[pair]! < 0);
  const present = <T>(values: readonly T[]): T[] => values.filter((_, pair) => isPresent(pair));
  const sidesOf = ({x, y, negatives}: Sides): Sides => ({x: present(x), y: present(y), negatives});
  return lossOfPresent(
    sidesOf(sides),
    {
      ...options,
      ...(options.groups && {groups: present(options.groups)}),
      ...(options.weights && {weights: present(options.weights)}),
    },
    {round, decided: sidesOf(decided)},
  );
}

function lossOfPresent(sides: Sides, options: ReferenceOptions, {round, decided}: Required<Details>): number {
  if (sides.x.length === 0) return 0;
  const {weights = sides.x.map(() => 1), oneDirectional = false} = options;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = (direction: 'xToY' | 'yToX'): number => {
    const [rows, deciding] = [unitRows(sides, direction, round), unitRows(decided, direction, round)];
    return (
      rows.from.reduce((sum, _, i) => sum + weights[i]! * rowLoss(i, rows, deciding, options, round), 0) /
      total
    );
  };
  return oneDirectional ? mean('xToY') : (mean('xToY') + mean('yToX')) / 2;
}

interface Sides {
  readonly x: Matrix;
  readonly y: Matrix;
  readonly negatives: Matrix;
}

interface Details {
  readonly round?: Round;
  readonly decided?: Sides;
}

interface UnitRows {
  readonly from: Matrix;
  readonly to: Matrix;
  readonly negatives: Matrix;
}

function unitRows({x, y, negatives}: Sides, direction: 'xToY' | 'yToX', round: Round): UnitRows {
  const [u, v, z] = [x, y, negatives].map((rows) => rows.map((row) => unit(row, round)));
  return direction === 'xToY' ? {from: u!, to: v!, negatives: z!} : {from: v!, to: u!, negatives: z!};
}

function rowLoss(
  i: number,
  rows: UnitRows,
  deciding: UnitRows,
  options: ReferenceOptions,
  round: Round,
): number {
  const {temperature, margin = 0, groupMode = 'mask', scope = 'cross', threshold = Infinity} = options;
  const groups = groupMode === 'none' ? undefined : options.groups;
  const isGroup = (j: number): boolean => j === i || (groups !== undefined && groups[i] === groups[j]);
  const isPositive = (j: number): boolean => j === i || (groupMode === 'positives' && isGroup(j));
  /** Scores of row i with all that can be a negative of it. */
  const others = ({from, to, negatives}: UnitRows): number[] =>
    [
      ...to.filter((_, j) => !isGroup(j)),
      ...(scope === 'both' ? from.filter((_, j) => !isGroup(j)) : []),
      ...negatives,
    ].map((row) => round(dot(from[i]!, row)));
  const limit = round(dot(deciding.from[i]!, deciding.to[i]!)) + threshold;
  const kept = threshold === Infinity ? undefined : others(deciding).map((score) => score <= limit);
  const negatives = others(rows).filter((_, index) => kept?.[index] ?? true);
  const positives = rows.to
    .filter((_, j) => isPositive(j))
    .map((row) => round((round(dot(rows.from[i]!, row)) - margin) / temperature));
  const logits = [...positives, ...negatives.map((score) => round(score / temperature))];
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
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

/** Flat elements as rows. */
export function rowsOf(values: readonly number[], features: number): number[][] {
  return Array.from({length: values.length / features}, (_, row) =>
    values.slice(row * features, (row + 1) * features),
  );
}
