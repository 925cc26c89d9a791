/** The numbers that a step reads, all of a dtype in one tensor: two copies bring them to the device, and two replace them there. */
import {tensor, type Device, type Tensor} from '../tensor/index.js';

/** All numbers of a step. */
export interface StepData {
  /** int32 [elements] */
  readonly int32: Tensor;
  /** float32 [elements] */
  readonly float32: Tensor;
}

/** Values of a tensor: [elements], or [] float32 for a number. */
export type Values = Int32Array | Float32Array | number;

/** Where the values of a tensor stand in the data of a step. */
interface Place {
  readonly dtype: keyof StepData;
  /** Elements before it. */
  readonly start: number;
  readonly shape: readonly number[];
}

/** Values that are gathered to be copied together. */
interface Packing {
  add(values: Values): Place;
  /** Copies what was added. @throws ERR_OUT_OF_MEMORY */
  upload(device: Device): StepData;
}

/** Elements of 4 bytes in 256: each tensor is aligned as one with memory of its own. */
const alignment = 64;

export function createPacking(): Packing {
  const packed = {int32: createColumn(Int32Array), float32: createColumn(Float32Array)};
  return {
    add(values) {
      if (values instanceof Int32Array)
        return {dtype: 'int32', start: packed.int32.add(values), shape: [values.length]};
      const isNumber = typeof values === 'number';
      const elements = isNumber ? [values] : values;
      return {
        dtype: 'float32',
        start: packed.float32.add(elements),
        shape: isNumber ? [] : [values.length],
      };
    },
    upload: (device) => ({
      int32: tensor(packed.int32.gather(), {device}),
      float32: tensor(packed.float32.gather(), {device}),
    }),
  };
}

/** The tensor at a place, in the memory of the data. */
export function tensorAt(data: StepData, {dtype, start, shape}: Place): Tensor {
  const [size = 1] = shape;
  const rows = data[dtype].rows(start, start + size);
  return shape.length === 1 ? rows : rows.view(shape);
}

interface Column<Elements> {
  /** Returns where the values begin. */
  add(values: ArrayLike<number>): number;
  gather(): Elements;
}

function createColumn<Elements extends Int32Array | Float32Array>(
  type: new (length: number) => Elements,
): Column<Elements> {
  const parts: {readonly start: number; readonly values: ArrayLike<number>}[] = [];
  let end = 0;
  return {
    add(values) {
      const start = Math.ceil(end / alignment) * alignment;
      parts.push({start, values});
      end = start + values.length;
      return start;
    },
    gather() {
      const all = new type(end);
      for (const {start, values} of parts) all.set(values, start);
      return all;
    },
  };
}
