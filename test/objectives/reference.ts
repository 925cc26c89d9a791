/** Losses of the objectives in float64, from the plain decoder. */
import type {Batch, SegmentKind} from '../../lib/data/batch.js';
import {logProbability, referenceForward, type ReferenceModel} from '../nn/reference.js';

/** Weighted mean negative log-likelihood of the targets of one kind, over all batches. */
export function tokenLoss(model: ReferenceModel, batches: readonly Batch[], kind: SegmentKind): number {
  let [nats, weights] = [0, 0];
  for (const batch of batches) {
    const {logits} = referenceForward(model, batch);
    for (const [t, row] of logits.entries()) {
      const segment = batch.segmentStarts.findLastIndex((start) => start <= t);
      const weight = batch.weights[t]!;
      if (batch.kinds[segment] !== kind || weight === 0) continue;
      nats -= weight * logProbability(row, batch.targets[t]!);
      weights += weight;
    }
  }
  return nats / weights;
}

interface Alignment {
  readonly layer: number;
  readonly temperature: number;
}

/** Symmetric InfoNCE of mean-pooled pairs that share no text, over all batches together. */
export function alignmentLoss(
  model: ReferenceModel,
  batches: readonly Batch[],
  {layer, temperature}: Alignment,
): number {
  const pooled = batches.flatMap((batch) => {
    const hidden = referenceForward(model, batch).hiddenStates[layer]!;
    const {xStarts, xEnds, yStarts, yEnds} = batch.pairs;
    return Array.from(xStarts, (_, pair) => ({
      x: unitMean(hidden.slice(xStarts[pair], xEnds[pair])),
      y: unitMean(hidden.slice(yStarts[pair], yEnds[pair])),
    }));
  });
  const logits = pooled.map(({x}) => pooled.map(({y}) => dot(x, y) / temperature));
  const columns = logits.map((_, j) => logits.map((row) => row[j]!));
  const mean = (rows: readonly (readonly number[])[]): number =>
    rows.reduce((sum, row, pair) => sum - logProbability(row, pair), 0) / rows.length;
  return (mean(logits) + mean(columns)) / 2;
}

function unitMean(rows: readonly (readonly number[])[]): number[] {
  const sum = rows[0]!.map((_, d) => rows.reduce((total, row) => total + row[d]!, 0));
  const norm = Math.sqrt(dot(sum, sum));
  return sum.map((value) => value / norm);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}
