/** The embedding and the head of a model whose vocabulary changes: rows are appended, left out, or given to new tokens. */
import {converted, floatsOf, type StoredTensors} from '../formats/index.js';
import {bytesOf, type FloatDType} from '../tensor/index.js';

/** A table of a model in a file: embedding or head. */
interface Table {
  readonly name: string;
  readonly rows: number;
  readonly features: number;
  readonly dtype: FloatDType;
  readonly file: StoredTensors;
}

/** What becomes of the rows. */
export interface RowPlan {
  /** Rows afterwards. */
  readonly rows: number;
  /** Tokens whose rows are set to the mean of all others, in rising order; rows that were not there are among them. */
  readonly fresh: readonly number[];
}

/** A row whose norm is a smaller share of the mean norm belongs to a token that training never met. */
const untrainedShare = 0.5;

/** Elements that are in memory at once. */
const elementsAtOnce = 2 ** 20;

/**
 * Which of some tokens have rows that were never trained: their norms are less than half the mean norm. Tokens without a row count.
 *
 * @param table the embedding
 */
export async function untrainedRows(table: Table, tokens: readonly number[]): Promise<number[]> {
  const norms = new Float64Array(table.rows);
  await eachRow(table, (row, index) => {
    norms[index] = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  });
  const mean = norms.reduce((sum, norm) => sum + norm, 0) / table.rows;
  return tokens.filter((token) => (norms[token] ?? 0) < untrainedShare * mean);
}

/**
 * The table with its new rows, in its dtype. It is read twice, and a few rows are in memory at a time.
 *
 * @returns [plan.rows, features] in pieces of whole rows, each good until the next is asked for
 */
export async function* tableWith(
  table: Table,
  {rows, fresh}: RowPlan,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const {features, dtype, name} = table;
  const kept = {...table, rows: Math.min(rows, table.rows)};
  const isFresh = new Set(fresh);
  const mean = Float32Array.from(await meanRow(kept, isFresh));
  const meanBytes = await converted(new Uint8Array(mean.buffer), 'float32', dtype, name);
  for await (const {bytes, start, end} of rowPieces(kept)) {
    for (let row = start; row < end; row++)
      if (isFresh.has(row)) bytes.set(meanBytes, (row - start) * features * bytesOf(dtype));
    yield bytes;
  }
  for (let row = kept.rows; row < rows; row++) yield meanBytes;
}

/** The mean of the rows of tokens that are not fresh, summed in float64. */
async function meanRow(table: Table, isFresh: ReadonlySet<number>): Promise<Float64Array> {
  const sums = new Float64Array(table.features);
  let count = 0;
  await eachRow(table, (row, index) => {
    if (isFresh.has(index)) return;
    count++;
    for (let d = 0; d < row.length; d++) sums[d] = (sums[d] ?? 0) + (row[d] ?? 0);
  });
  return sums.map((sum) => sum / Math.max(1, count));
}

async function eachRow(table: Table, visit: (row: Float32Array, index: number) => void): Promise<void> {
  const {features, dtype, name} = table;
  for await (const {bytes, start, end} of rowPieces(table)) {
    const values = await floatsOf(bytes, dtype, name);
    for (let row = start; row < end; row++)
      visit(values.subarray((row - start) * features, (row - start + 1) * features), row);
  }
}

/** Rows `start` to `end` (left out) of a table. */
interface RowPiece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly start: number;
  readonly end: number;
}

/** The first rows of a table, as many as `rows` says. */
async function* rowPieces({
  rows,
  features,
  dtype,
  name,
  file,
}: Table): AsyncGenerator<RowPiece, void, undefined> {
  const together = Math.max(1, Math.floor(elementsAtOnce / features));
  const rowBytes = features * bytesOf(dtype);
  let start = 0;
  for await (const piece of file.pieces(name, together * rowBytes)) {
    const end = Math.min(rows, start + piece.length / rowBytes);
    yield {bytes: piece.subarray(0, (end - start) * rowBytes), start, end};
    start = end;
    if (start === rows) return;
  }
}
