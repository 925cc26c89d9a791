/**
 * What we use of jax-js. A function takes the arrays that it is given: who needs one afterwards hands over its `ref`.
 */
export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: readonly number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  sum(axis?: number): JaxArray;
  mean(axis?: number, options?: {keepdims: boolean}): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  transpose(axes?: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
  blockUntilReady(): Promise<unknown>;
  dispose(): void;
}

/** Arrays in arrays. */
export type JaxTree = JaxArray | readonly JaxTree[];

export interface Jax {
  init(device: string): Promise<readonly string[]>;
  defaultDevice(device: string): string;
  blockUntilReady(tree: JaxTree): Promise<unknown>;
  jit<Inputs extends readonly JaxTree[], Outputs>(
    work: (...inputs: Inputs) => Outputs,
  ): ((...inputs: Inputs) => Outputs) & {dispose(): void};
  valueAndGrad(
    loss: (weights: readonly JaxArray[]) => JaxArray,
  ): (weights: readonly JaxArray[]) => [JaxArray, readonly JaxArray[]];
  readonly numpy: {
    readonly bool: unknown;
    array(values: Float32Array | Int32Array | number): JaxArray;
    zeros(shape: readonly number[]): JaxArray;
    tri(rows: number, columns: number, diagonal: number, options: {dtype: unknown}): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    take(table: JaxArray, ids: JaxArray, axis: number): JaxArray;
    split(x: JaxArray, parts: number, axis: number): readonly JaxArray[];
    concatenate(parts: readonly JaxArray[], axis: number): JaxArray;
    where(condition: JaxArray, x: JaxArray, y: number): JaxArray;
    square(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    minimum(a: number, b: JaxArray): JaxArray;
    power(base: number, exponent: JaxArray): JaxArray;
    subtract(a: number, b: JaxArray): JaxArray;
    trueDivide(a: number, b: JaxArray): JaxArray;
  };
  readonly nn: {
    softmax(x: JaxArray, axis: number): JaxArray;
    silu(x: JaxArray): JaxArray;
    logsumexp(x: JaxArray, axis: number): JaxArray;
    oneHot(ids: JaxArray, count: number): JaxArray;
  };
  readonly tree: {dispose(tree: JaxTree): void};
}
