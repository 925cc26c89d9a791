/**
 * Ops on tensors of more than 2^31 elements, of which only the last rows are known. The emulated GPU gives memory to what is touched only,
 * and executes the first and the last blocks of each launch: those have the last rows. All that was not written is 0.
 */
import test, {type ExecutionContext} from 'ava';
import {multiprocessors} from './large-gpu.js'; // before ops.js
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {native} from '../../lib/native.js';
import {
  empty,
  emptyCache,
  scope,
  tensor,
  type Device,
  type DType,
  type FloatDType,
  type Tensor,
} from '../../lib/tensor/index.js';
import {normalNumbers} from './numbers.js';
import {closeTo, sumFloor, testDevices} from './ops.js';
import {rounding} from './rounding.js';

export {multiprocessors};

export const device: Device = 'simt';

/** Rows with numbers, the last of each tensor. */
export const known = 3;

/** Where a case runs: once with tensors of more than 2^31 elements, once with their known rows alone. */
export class Place {
  readonly #isFar: boolean;

  constructor(isFar: boolean) {
    this.#isFar = isFar;
  }

  /** What there is beyond 2^31 elements, or what there is of the known part. */
  pick<T>(far: T, near: T): T {
    return this.#isFar ? far : near;
  }

  /** Rows of a tensor whose rows have `size` elements. */
  rows(size: number): number {
    return this.pick(Math.ceil(2 ** 31 / size) + known, known);
  }

  /** Rows that are not known. */
  before(size: number): number {
    return this.rows(size) - known;
  }

  /** [rows, ...row]: the known rows are normal numbers, those before are 0. */
  normal(row: readonly number[], seed: number, dtype: FloatDType = 'bfloat16'): Tensor {
    return this.tensor(row, normalNumbers(known * sizeOf(row), seed), dtype);
  }

  /** The same, with a gradient. */
  leaf(row: readonly number[], seed: number, dtype: FloatDType = 'bfloat16'): Tensor {
    return requireGradient(this.normal(row, seed, dtype));
  }

  /** [rows, ...row] with these elements of the known rows. */
  tensor(row: readonly number[], values: readonly number[], dtype: DType): Tensor {
    return this.ending(this.rows(sizeOf(row)), row, values, dtype);
  }

  /** [rows, ...row] with these elements at its end. */
  ending(rows: number, row: readonly number[], values: readonly number[], dtype: DType): Tensor {
    const end = made(values, [values.length / sizeOf(row), ...row], dtype);
    const whole = empty([rows, ...row], {dtype, device});
    scope(() => whole.rows(rows - end.shape[0]!, rows).copyFrom(end));
    end.dispose();
    return whole;
  }
}

/** A tensor of numbers that no kernel makes: of a kernel only some blocks are executed. */
export function made(values: readonly number[], shape: readonly number[], dtype: DType = 'bfloat16'): Tensor {
  if (dtype !== 'bfloat16') return tensor([...values], {shape, dtype, device});
  const wide = Float32Array.from(values, rounding.bfloat16);
  const bits = Uint16Array.from(new Uint32Array(wide.buffer), (word) => word >>> 16);
  return tensor(bits, {shape, dtype, device});
}

/** Normal numbers, all of them known: a weight or the like. */
export function small(shape: readonly number[], seed: number, dtype: FloatDType = 'bfloat16'): Tensor {
  return made(normalNumbers(sizeOf(shape), seed), shape, dtype);
}

/** Settings of a case. */
export interface CaseOptions {
  /** Blocks at each end of a launch that are executed beyond 2^31 elements; default 8. */
  readonly blocks?: number;
  /** How many elements at the end of each result are compared; default all of the known rows. */
  readonly compared?: number;
}

/**
 * A test that the last elements of each result are those which the known rows alone give.
 *
 * @param op results, gradients included; what else it makes is disposed of
 */
export function beyondInt32(title: string, op: (at: Place) => readonly Tensor[], options: CaseOptions = {}) {
  if (!testDevices.includes(device)) return;
  const {blocks = 8, compared = Infinity} = options;
  test.serial(`${device} ${title} beyond 2^31 elements`, async (t) => {
    t.timeout(300_000);
    const near = await endsOf(() => op(new Place(false)), compared);
    native.simtBlocks(blocks);
    try {
      const sizes = near.map(({length}) => length);
      const far = await endsOf(() => op(new Place(true)), sizes);
      for (const [index, wanted] of near.entries()) isTheSame(t, far[index]!, wanted);
    } finally {
      emptyCache(device);
      native.simtLeaveOutLaunches(0, 0); // also waits for all launches
      native.simtBlocks(0);
    }
  });
}

/** The result of an op, then the gradients of its leaves. */
export function withGradients(y: Tensor, dy: Tensor, leaves: readonly Tensor[]): readonly Tensor[] {
  backward(y, dy);
  return [y, ...leaves.map((leaf) => gradient(leaf)!)];
}

/** A file whose tests are all for the emulated GPU must have one where there is none. */
export function orElseNothing(): void {
  if (!testDevices.includes(device))
    test('tensors of 2^31 elements are for the emulated GPU', (t) => t.pass());
}

interface End {
  readonly length: number;
  readonly dtype: DType;
  readonly values: Float32Array;
}

/** The last elements of each result, at most as many as asked for. */
async function endsOf(
  run: () => readonly Tensor[],
  most: number | readonly number[],
): Promise<readonly End[]> {
  const results = scope(() => run());
  const ends = results.map(async (each, index) => {
    const length = Math.min(each.size, typeof most === 'number' ? most : most[index]!);
    const end = scope(() => each.view([each.size]).rows(each.size - length, each.size));
    const values = await valuesOf(end);
    end.dispose();
    return {length, dtype: each.dtype, values};
  });
  const found = await Promise.all(ends);
  for (const each of results) each.dispose();
  return found;
}

/** As `floats`, without a kernel. */
async function valuesOf(x: Tensor): Promise<Float32Array> {
  const data = [...(await x.data())].map(Number);
  if (x.dtype !== 'bfloat16') return Float32Array.from(data);
  return new Float32Array(Uint32Array.from(data, (bits) => bits << 16).buffer);
}

/** Of products with many tiles sums have another order: a float32 sum differs by that, another dtype by one rounding. */
function isTheSame(t: ExecutionContext, far: End, near: End): void {
  const largest = near.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  t.true(largest > 0, 'a result of zeros alone shows nothing');
  closeTo(t, far.values, near.values, largest * (near.dtype === 'float32' ? sumFloor : 2 ** -7));
}

function sizeOf(row: readonly number[]): number {
  return row.reduce((product, size) => product * size, 1);
}
