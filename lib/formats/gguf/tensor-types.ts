/** How GGUF stores the elements of a tensor: one by one, or quantised in blocks. */

/** How the elements of a tensor are stored: as in JavaScript, halves, or quantised in blocks, by the names of ggml. */
export type GgufTensorType =
  | 'float32'
  | 'float16'
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'q8_0'
  | 'q8_1'
  | 'q2_k'
  | 'q3_k'
  | 'q4_k'
  | 'q5_k'
  | 'q6_k'
  | 'q8_k'
  | 'iq2_xxs'
  | 'iq2_xs'
  | 'iq3_xxs'
  | 'iq1_s'
  | 'iq4_nl'
  | 'iq3_s'
  | 'iq2_s'
  | 'iq4_xs'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'iq1_m'
  | 'bfloat16'
  | 'tq1_0'
  | 'tq2_0'
  | 'mxfp4';

interface Stored {
  readonly code: number;
  readonly elements: number;
  readonly bytes: number;
}

/** The code of each type, the elements of one block and its bytes. */
const types: Readonly<Record<GgufTensorType, Stored>> = {
  float32: {code: 0, elements: 1, bytes: 4},
  float16: {code: 1, elements: 1, bytes: 2},
  q4_0: {code: 2, elements: 32, bytes: 18},
  q4_1: {code: 3, elements: 32, bytes: 20},
  q5_0: {code: 6, elements: 32, bytes: 22},
  q5_1: {code: 7, elements: 32, bytes: 24},
  q8_0: {code: 8, elements: 32, bytes: 34},
  q8_1: {code: 9, elements: 32, bytes: 36},
  q2_k: {code: 10, elements: 256, bytes: 84},
  q3_k: {code: 11, elements: 256, bytes: 110},
  q4_k: {code: 12, elements: 256, bytes: 144},
  q5_k: {code: 13, elements: 256, bytes: 176},
  q6_k: {code: 14, elements: 256, bytes: 210},
  q8_k: {code: 15, elements: 256, bytes: 292},
  iq2_xxs: {code: 16, elements: 256, bytes: 66},
  iq2_xs: {code: 17, elements: 256, bytes: 74},
  iq3_xxs: {code: 18, elements: 256, bytes: 98},
  iq1_s: {code: 19, elements: 256, bytes: 50},
  iq4_nl: {code: 20, elements: 32, bytes: 18},
  iq3_s: {code: 21, elements: 256, bytes: 110},
  iq2_s: {code: 22, elements: 256, bytes: 82},
  iq4_xs: {code: 23, elements: 256, bytes: 136},
  int8: {code: 24, elements: 1, bytes: 1},
  int16: {code: 25, elements: 1, bytes: 2},
  int32: {code: 26, elements: 1, bytes: 4},
  int64: {code: 27, elements: 1, bytes: 8},
  float64: {code: 28, elements: 1, bytes: 8},
  iq1_m: {code: 29, elements: 256, bytes: 56},
  bfloat16: {code: 30, elements: 1, bytes: 2},
  tq1_0: {code: 34, elements: 256, bytes: 54},
  tq2_0: {code: 35, elements: 256, bytes: 66},
  mxfp4: {code: 39, elements: 32, bytes: 17},
};

const byCode: ReadonlyMap<number, GgufTensorType> = new Map(
  Object.keys(types)
    .filter(isTensorType)
    .map((type) => [types[type].code, type]),
);

export function isTensorType(type: string): type is GgufTensorType {
  return Object.hasOwn(types, type);
}

/** The type of a code, where it is known. */
export function tensorTypeOf(code: number): GgufTensorType | undefined {
  return byCode.get(code);
}

export function tensorTypeCode(type: GgufTensorType): number {
  return types[type].code;
}

/** Elements that are stored together: rows are whole blocks. */
export function blockElements(type: GgufTensorType): number {
  return types[type].elements;
}

/**
 * Bytes of a tensor.
 *
 * @param shape row-major, as everywhere in crossmap: the last axis is contiguous
 * @returns NaN where the shape is not whole numbers or a row is not whole blocks; a number that is not safe where it is too large
 */
export function tensorBytes(type: GgufTensorType, shape: readonly number[]): number {
  const {elements, bytes} = types[type];
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return NaN;
  if ((shape.at(-1) ?? 1) % elements !== 0) return NaN;
  if (shape.includes(0)) return 0; // before the product: 0 * Infinity is NaN
  return shape.reduce((product, size) => product * size, bytes / elements);
}
