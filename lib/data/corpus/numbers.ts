/** A list of numbers that grows, in eight bytes each. */

export interface NumberList {
  push(value: number): void;
  at(index: number): number;
  /** @param index below `length` */
  set(index: number, value: number): void;
  readonly length: number;
  /** The numbers so far, without a copy; another push may leave the array behind. */
  values(): Float64Array;
}

/** An empty list. */
export function createNumberList(): NumberList {
  let values = new Float64Array(1024);
  let length = 0;
  return {
    push(value) {
      if (length === values.length) {
        const grown = new Float64Array(2 * length);
        grown.set(values);
        values = grown;
      }
      values[length++] = value;
    },
    at: (index) => values[index] ?? Number.NaN,
    set: (index, value) => void (values[index] = value),
    get length() {
      return length;
    },
    values: () => values.subarray(0, length),
  };
}
