/** A list of numbers that grows, in eight bytes each. */

export interface NumberList {
  push(value: number): void;
  append(values: Float64Array): void;
  at(index: number): number;
  /** @param index below `length` */
  set(index: number, value: number): void;
  readonly length: number;
  /** The numbers so far, without a copy; another push may leave the array behind. */
  values(): Float64Array;
}

/**
 * A list.
 *
 * @param values what it holds at first, and takes over; default nothing
 */
export function createNumberList(values = new Float64Array(0)): NumberList {
  let {length} = values;
  const reserve = (more: number): void => {
    if (length + more <= values.length) return;
    const grown = new Float64Array(Math.max(1024, 2 * length, length + more));
    grown.set(values);
    values = grown;
  };
  return {
    push(value) {
      reserve(1);
      values[length++] = value;
    },
    append(more) {
      reserve(more.length);
      values.set(more, length);
      length += more.length;
    },
    at: (index) => values[index] ?? Number.NaN,
    set: (index, value) => void (values[index] = value),
    get length() {
      return length;
    },
    values: () => values.subarray(0, length),
  };
}
