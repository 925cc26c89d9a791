/** What we use of TensorFlow.js. */

export interface TfTensor {
  add(other: TfTensor | number): TfTensor;
  sub(other: TfTensor | number): TfTensor;
  mul(other: TfTensor | number): TfTensor;
  div(other: TfTensor | number): TfTensor;
  square(): TfTensor;
  sqrt(): TfTensor;
  rsqrt(): TfTensor;
  sigmoid(): TfTensor;
  sum(): TfTensor;
  mean(axis: number, keepDims: boolean): TfTensor;
  reshape(shape: readonly number[]): TfTensor;
  transpose(axes: readonly number[]): TfTensor;
  toFloat(): TfTensor;
  data(): Promise<Float32Array>;
  dispose(): void;
}

export interface TfVariable extends TfTensor {
  readonly name: string;
  assign(value: TfTensor): void;
}

export interface Tf {
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array | Int32Array, shape: readonly number[], dtype?: 'int32'): TfTensor;
  variable(start: TfTensor, trainable?: boolean): TfVariable;
  disposeVariables(): void;
  engine(): {startScope(): void; endScope(): void};
  tidy<Result>(work: () => Result): Result;
  variableGrads(
    loss: () => TfTensor,
    variables: readonly TfVariable[],
  ): {value: TfTensor; grads: Readonly<Record<string, TfTensor>>};
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  gather(table: TfTensor, ids: TfTensor): TfTensor;
  oneHot(ids: TfTensor, count: number): TfTensor;
  split(x: TfTensor, parts: number, axis: number): readonly TfTensor[];
  concat(parts: readonly TfTensor[], axis: number): TfTensor;
  softmax(x: TfTensor): TfTensor;
  addN(all: readonly TfTensor[]): TfTensor;
  minimum(a: number, b: TfTensor): TfTensor;
  div(a: number, b: TfTensor): TfTensor;
  readonly losses: {softmaxCrossEntropy(labels: TfTensor, logits: TfTensor): TfTensor};
}
