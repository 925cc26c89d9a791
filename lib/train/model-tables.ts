/** The embedding and the head of a model whose vocabulary changes: rows are appended, left out, or given to new tokens. */
import {converted, floatsOf} from '../formats/index.js';
import {bytesOf, type FloatDType} from '../tensor/index.js';

/** A table of a model in a file: embedding or head. */
interface Table {
  readonly name: string;
  readonly rows: number;
  readonly features: number;
  readonly dtype: FloatDType;
  /** [rows, features], in memory of its own */
  readonly read: () => Promise<Uint8Array<ArrayBuffer>>;
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

/** Elements that are float32 at once. */
const elementsAtOnce = 2 ** 20;

/**
 * Which of some tokens have rows that were never trained: their norms are less than half the mean norm. Tokens without a row count.
 *
 * @param table the embedding
 */
export async function untrainedRows(table: Table, tokens: readonly number[]): Promise<number[]> {
  const norms = new Float64Array(table.rows);
  await eachRow(table, await table.read(), (row, index) => {
    norms[index] = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  });
  const mean = norms.reduce((sum, norm) => sum + norm, 0) / table.rows;
  return tokens.filter((token) => (norms[token] ?? 0) < untrainedShare * mean);
}

/**
 * The table with its new rows, in its dtype. Beside the table at most its successor is in memory.
 *
 * @returns [plan.rows, features]
 */
export async function tableWith(table: Table, {rows, fresh}: RowPlan): Promise<Uint8Array<ArrayBuffer>> {
  const {features, dtype, name} = table;
  const bytes = await table.read();
  const mean = Float32Array.from(await meanRow({...table, rows: Math.min(rows, table.rows)}, bytes, fresh));
  const meanBytes = await converted(new Uint8Array(mean.buffer), 'float32', dtype, name);
  const rowBytes = features * bytesOf(dtype);
  const result = rows === table.rows ? bytes : new Uint8Array(rows * rowBytes);
  if (result !== bytes) result.set(bytes.subarray(0, result.length));
  for (const token of fresh) result.set(meanBytes, token * rowBytes);
  return result;
}

/** The mean of the rows of tokens that are not fresh, summed in float64. */
async function meanRow(
  table: Table,
  bytes: Uint8Array<ArrayBuffer>,
  fresh: readonly number[],
): Promise<Float64Array> {
  const isFresh = new Set(fresh);
  const sums = new Float64Array(table.features);
  let count = 0;
  await eachRow(table, bytes, (row, index) => {
    if (isFresh.has(index)) return;
    count++;
    for (let d = 0; d < row.length; d++) sums[d] = (sums[d] ?? 0) + (row[d] ?? 0);
  });
  return sums.map((sum) => sum / Math.max(1, count));
}

async function eachRow(
  {rows, features, dtype, name}: Table,
  bytes: Uint8Array<ArrayBuffer>,
  visit: (row: Float32Array, index: number) => void,
): Promise<void> {
  const together = Math.max(1, Math.floor(elementsAtOnce / features));
  const rowBytes = features * bytesOf(dtype);
  for (let start = 0; start < rows; start += together) {
    const end = Math.min(rows, start + together);
    const values = await floatsOf(bytes.subarray(start * rowBytes, end * rowBytes), dtype, name);
    for (let row = start; row < end; row++)
      visit(values.subarray((row - start) * features, (row - start + 1) * features), row);
  }
}
