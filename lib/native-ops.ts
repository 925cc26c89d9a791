/** What the addon exports for ops, as native/addon/op-table.cc lists them, and the values that these take and give. */

/** Element type of a tensor. */
export type NativeDType = 'float32' | 'bfloat16' | 'float16' | 'int32' | 'int64' | 'uint8';

/** Kinds of devices, as native code names them. @inline */
export type NativeDevice = 'cpu' | 'cuda' | 'simt';

/** A handle on native memory. Handles are cheap; the memory goes when the last one on it is disposed of. */
export interface NativeTensor {
  /** Sizes of the axes, slowest first. @throws ERR_DISPOSED, as all below but `isDisposed` and `dispose` */
  readonly shape: readonly number[];
  /** Type of the elements. */
  readonly dtype: NativeDType;
  /** `cpu`, `cuda` or `simt`. */
  readonly device: string;
  /** Whether this handle has been given up. */
  readonly isDisposed: boolean;
  /** Whether another handle, or a view, uses the same memory. */
  readonly isShared: boolean;
  /** Gives this handle up. Further calls do nothing. */
  dispose: () => void;
  /** A further handle on the same memory. */
  retain: () => NativeTensor;
}

/** Sizes of the axes, slowest first. @inline */
export type Shape = readonly number[];

/** Options of attention, as lib/ops/attention.ts describes them. */
interface NativeAttentionOptions {
  readonly mask?: 'causal' | 'none' | undefined;
  readonly window?: number | undefined;
  readonly scale?: number | undefined;
  readonly softcap?: number | undefined;
  readonly keyStarts?: NativeTensor | undefined;
  readonly prefixLengths?: NativeTensor | undefined;
  readonly sinks?: NativeTensor | undefined;
}

/** Elementwise ops of one operand. */
export type UnaryName =
  | 'clamp'
  | 'exp'
  | 'gelu'
  | 'log'
  | 'negate'
  | 'relu'
  | 'scale'
  | 'sigmoid'
  | 'silu'
  | 'sqrt'
  | 'square'
  | 'tanh';

/** What `scale` (factor) and `clamp` (the others) take. */
export interface UnaryOptions {
  readonly factor?: number;
  readonly low?: number;
  readonly high?: number;
}

/** Elementwise ops of two operands. */
export type BinaryName = 'add' | 'divide' | 'maximum' | 'minimum' | 'multiply' | 'subtract';

/** What is reduced: all elements, or those of the last axis. @inline */
export type AxisName = 'all' | 'last';

/** Reductions that are sums. */
export type ReductionName = 'mean' | 'sum';

/** What the softmax family gives. */
export type SoftmaxName = 'logSoftmax' | 'softmax';

interface AdamwArguments {
  readonly parameters: readonly NativeTensor[];
  readonly gradients: readonly NativeTensor[];
  readonly masters: readonly (NativeTensor | undefined)[];
  readonly firstMoments: readonly NativeTensor[];
  readonly secondMoments: readonly NativeTensor[];
  readonly weightDecays: readonly number[];
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly step: number;
  readonly gradientScale: NativeTensor | undefined;
}

interface NativeContrastiveOptions {
  readonly temperature?: number;
  readonly theta?: NativeTensor;
  readonly margin: number;
  readonly groups?: NativeTensor;
  readonly groupMode: 'mask' | 'positives' | 'none';
  readonly scope: 'cross' | 'both';
  readonly threshold?: number;
  readonly negatives?: NativeTensor;
  readonly weights?: NativeTensor;
  readonly oneDirectional: boolean;
}

/** Options of `linearCrossEntropy`. */
interface NativeLinearCrossEntropyOptions {
  readonly weights?: NativeTensor | undefined;
  readonly ignoreIndex?: number | undefined;
  readonly labelSmoothing?: number | undefined;
  readonly zLoss?: number | undefined;
  readonly softcap?: number | undefined;
  readonly normalizer?: number | undefined;
  readonly logProbabilities?: boolean | undefined;
  /** Which gradients are computed. */
  readonly wantsHidden: boolean;
  readonly wantsWeight: boolean;
}

interface NativeLinearCrossEntropy {
  readonly loss: NativeTensor;
  readonly logProbabilities?: NativeTensor;
  readonly dHidden?: NativeTensor;
  readonly dWeight?: NativeTensor;
}

/** Options of `matmul`. */
interface NativeMatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Of the result; default that of `a`. */
  readonly dtype?: NativeDType;
}

/** The ops by name. */
export interface NativeOps {
  accumulate: (into: NativeTensor, from: NativeTensor) => void;
  adamw: (args: AdamwArguments) => void;
  attention: (
    q: NativeTensor,
    k: NativeTensor,
    v: NativeTensor,
    segmentStarts: NativeTensor,
    options: NativeAttentionOptions,
  ) => {readonly out: NativeTensor; readonly lse: NativeTensor};
  attentionBackward: (
    dOut: NativeTensor,
    q: NativeTensor,
    k: NativeTensor,
    v: NativeTensor,
    out: NativeTensor,
    lse: NativeTensor,
    segmentStarts: NativeTensor,
    options: NativeAttentionOptions,
  ) => {
    readonly dq: NativeTensor;
    readonly dk: NativeTensor;
    readonly dv: NativeTensor;
    readonly dSinks?: NativeTensor;
  };
  binary: (op: BinaryName, a: NativeTensor, b: NativeTensor) => NativeTensor;
  binaryBackward: (
    op: BinaryName,
    dy: NativeTensor,
    a: NativeTensor,
    b: NativeTensor,
    wantsA: boolean,
    wantsB: boolean,
  ) => {readonly da: NativeTensor | undefined; readonly db: NativeTensor | undefined};
  cast: (x: NativeTensor, dtype: NativeDType) => NativeTensor;
  clipScale: (norm: NativeTensor, maxNorm: number) => NativeTensor;
  contrastive: (
    x: NativeTensor,
    y: NativeTensor,
    options: NativeContrastiveOptions,
  ) => {readonly loss: NativeTensor; readonly statistics: NativeTensor; readonly inverseNorms: NativeTensor};
  contrastiveBackward: (
    dLoss: NativeTensor,
    x: NativeTensor,
    y: NativeTensor,
    statistics: NativeTensor,
    inverseNorms: NativeTensor,
    options: NativeContrastiveOptions,
    wanted: Readonly<Record<'x' | 'y' | 'theta' | 'negatives', boolean>>,
  ) => Readonly<Record<'dx' | 'dy' | 'dTheta' | 'dNegatives', NativeTensor | undefined>>;
  embedding: (table: NativeTensor, tokens: NativeTensor) => NativeTensor;
  embeddingBackward: (dy: NativeTensor, tokens: NativeTensor, vocab: number) => NativeTensor;
  fill: (shape: Shape, dtype: NativeDType, device: string, value: number) => NativeTensor;
  globalNorm: (tensors: readonly NativeTensor[]) => NativeTensor;
  linear: (x: NativeTensor, weight: NativeTensor) => NativeTensor;
  linearCrossEntropy: (
    hidden: NativeTensor,
    weight: NativeTensor,
    targets: NativeTensor,
    options: NativeLinearCrossEntropyOptions,
  ) => NativeLinearCrossEntropy;
  linearCrossEntropyBackward: (
    dLoss: NativeTensor,
    gradient: NativeTensor,
    dtype: NativeDType,
  ) => NativeTensor;
  matmul: (a: NativeTensor, b: NativeTensor, options: NativeMatmulOptions) => NativeTensor;
  normal: (
    shape: Shape,
    dtype: NativeDType,
    device: string,
    options: {seed: number; offset: number; mean: number; std: number},
  ) => NativeTensor;
  pool: (
    hidden: NativeTensor,
    starts: NativeTensor,
    ends: NativeTensor,
    pooling: 'mean' | 'last' | 'weighted',
    normalize: boolean,
  ) => {readonly pooled: NativeTensor; readonly inverseNorms: NativeTensor};
  poolBackward: (
    dPooled: NativeTensor,
    pooled: NativeTensor,
    inverseNorms: NativeTensor,
    starts: NativeTensor,
    ends: NativeTensor,
    pooling: 'mean' | 'last' | 'weighted',
    tokens: number,
    dtype: NativeDType,
  ) => NativeTensor;
  reduce: (op: ReductionName, x: NativeTensor, axis: AxisName) => NativeTensor;
  reduceBackward: (
    op: ReductionName,
    dy: NativeTensor,
    shape: Shape,
    dtype: NativeDType,
    axis: AxisName,
  ) => NativeTensor;
  reduceMax: (x: NativeTensor, axis: AxisName) => {readonly y: NativeTensor; readonly indices: NativeTensor};
  reduceMaxBackward: (dy: NativeTensor, indices: NativeTensor, shape: Shape, axis: AxisName) => NativeTensor;
  rmsNorm: (x: NativeTensor, weight: NativeTensor, eps: number) => {y: NativeTensor; rstd: NativeTensor};
  rmsNormBackward: (
    dy: NativeTensor,
    dSum: NativeTensor | undefined,
    x: NativeTensor,
    weight: NativeTensor,
    rstd: NativeTensor,
    wanted: {x: boolean; weight: boolean},
  ) => {dx?: NativeTensor; dWeight?: NativeTensor};
  rmsNormResidual: (
    x: NativeTensor,
    residual: NativeTensor,
    weight: NativeTensor,
    eps: number,
  ) => {y: NativeTensor; sum: NativeTensor; rstd: NativeTensor};
  rotary: (
    x: NativeTensor,
    positions: NativeTensor,
    frequencies: NativeTensor,
    scale: number,
  ) => NativeTensor;
  rotaryBackward: (
    dy: NativeTensor,
    positions: NativeTensor,
    frequencies: NativeTensor,
    scale: number,
  ) => NativeTensor;
  softmax: (
    form: SoftmaxName,
    x: NativeTensor,
  ) => {readonly y: NativeTensor; readonly statistics: NativeTensor};
  softmaxBackward: (
    form: SoftmaxName,
    dy: NativeTensor,
    x: NativeTensor,
    statistics: NativeTensor,
  ) => NativeTensor;
  swiglu: (gate: NativeTensor, up: NativeTensor) => NativeTensor;
  swigluBackward: (
    dy: NativeTensor,
    gate: NativeTensor,
    up: NativeTensor,
  ) => {dGate: NativeTensor; dUp: NativeTensor};
  unary: (op: UnaryName, x: NativeTensor, options: UnaryOptions) => NativeTensor;
  unaryBackward: (op: UnaryName, dy: NativeTensor, x: NativeTensor, options: UnaryOptions) => NativeTensor;
  uniform: (
    shape: Shape,
    dtype: NativeDType,
    device: string,
    options: {seed: number; offset: number; low: number; high: number},
  ) => NativeTensor;
}
