/** A valid call of each native function. A function that is added to the addon and not here does not compile. */
import {fileURLToPath} from 'node:url';
import {native, type NativeDType, type NativeGraph, type NativeTensor} from '../../../lib/native.js';
import {
  adamwCase,
  attentionCase,
  binaryCase,
  contrastiveCase,
  crossEntropyCase,
  normCase,
  poolCase,
  rotaryCase,
} from './cases.js';
import type {Make} from './make.js';

type Native = typeof native;

/** What the emulator alone has is tested by test/runtime. */
type FuzzedName = Exclude<keyof Native, `simt${string}`>;

type NativeCalls = {readonly [Name in FuzzedName]: (make: Make) => Parameters<Native[Name]>};

const dtypes = ['float32', 'bfloat16', 'float16', 'int32', 'int64', 'uint8'] as const;

const file = fileURLToPath(import.meta.url);

const unaries = [
  'clamp',
  'exp',
  'gelu',
  'log',
  'negate',
  'relu',
  'scale',
  'sigmoid',
  'silu',
  'sqrt',
  'square',
  'tanh',
] as const;
const binaries = ['add', 'divide', 'maximum', 'minimum', 'multiply', 'subtract'] as const;

/** Elements of a dtype. */
function elements(dtype: NativeDType, count: number): NodeJS.TypedArray {
  if (dtype === 'float32') return new Float32Array(count).fill(1.5);
  if (dtype === 'int32') return new Int32Array(count).fill(3);
  if (dtype === 'int64') return new BigInt64Array(count).fill(3n);
  return dtype === 'uint8' ? new Uint8Array(count).fill(3) : new Uint16Array(count).fill(0x3c00);
}

const reducedShape = (shape: readonly number[], axis: 'all' | 'last'): number[] =>
  axis === 'all' ? [] : shape.slice(0, -1);

const noGraph = (): [NativeGraph] => [{dispose: () => undefined}];

/** A tensor, and an array that takes its elements. */
function readCase(make: Make): [NativeTensor, NodeJS.TypedArray] {
  const [dtype, count] = [make.floatDType(), make.size()];
  return [make.float([count], dtype), elements(dtype, count)];
}

/** By name; what a function cannot do here (captures of ops on the CPU) it refuses. */
export const nativeCalls: NativeCalls = {
  fromArray(make) {
    const [dtype, shape] = [make.pick(dtypes), [make.size(), make.size()]];
    return [elements(dtype, shape[0]! * shape[1]!), shape, dtype, make.device];
  },
  empty: (make) => [[make.size(), make.size()], make.pick(dtypes), make.device],
  adoptArray(make) {
    const [dtype, count] = [make.pick(dtypes), make.size()];
    return [elements(dtype, count), [count], dtype];
  },
  copyTo: readCase,
  copyToNow: readCase,
  copyInto(make) {
    const [dtype, shape] = [make.floatDType(), [make.size(), make.size()]];
    return [make.float(shape, dtype), make.float(shape, dtype)];
  },
  view(make) {
    const rows = make.size();
    return [make.float([rows + 2, 3]), [rows, 3], make.whole(0, 6)];
  },
  synchronize: ({device}) => [device],
  memory: ({device}) => [device],
  resetPeak: ({device}) => [device],
  emptyCache: ({device}) => [device],
  devices: () => [],
  canCapture: ({device}) => [device],
  beginCapture: ({device}) => [device],
  endCapture: ({device}) => [device],
  replay: noGraph,
  setThreads: (make) => [make.whole(1, 3)],
  cpuInfo: () => [],
  cudaInfo: () => [],
  plans: () => [],
  multiplyAdds: (make) => [make.floatDType()],
  runPeakLoops: (make) => [make.pick(native.multiplyAdds('float32'))],
  mapFile: () => [file],
  profileStart: (make) => [make.whole(1, 1000)],
  profileStop: () => [],
  profileTake: () => [],
  profilePending: () => [],
  profileEnter: () => ['span'],
  profileLeave: () => [native.profileEnter('span')],
  leaveOutKernels: (make) => [make.chance(0.5)],

  accumulate(make) {
    const shape = [make.size(), make.size()];
    return [make.float(shape, make.floatDType()), make.float(shape, make.floatDType())];
  },
  adamw: (make) => [adamwCase(make)],
  attention(make) {
    const {q, k, v, starts, options} = attentionCase(make);
    return [q, k, v, starts, options];
  },
  attentionBackward(make) {
    const {q, k, v, starts, options, heads} = attentionCase(make);
    const dOut = make.float(q.shape, q.dtype);
    return [dOut, q, k, v, make.float(q.shape, q.dtype), make.float([q.shape[0]!, heads]), starts, options];
  },
  binary(make) {
    const {a, b} = binaryCase(make);
    return [make.pick(binaries), a, b];
  },
  binaryBackward(make) {
    const {a, b, shape, dtype} = binaryCase(make);
    return [make.pick(binaries), make.float(shape, dtype), a, b, make.chance(0.5), make.chance(0.5)];
  },
  cast: (make) => [make.float([make.size(), make.size()], make.floatDType()), make.pick(dtypes)],
  clipScale: (make) => [make.float([]), 0.1 + make.uniform()],
  contrastive(make) {
    const {x, y, options} = contrastiveCase(make);
    return [x, y, options];
  },
  contrastiveBackward(make) {
    const {x, y, options} = contrastiveCase(make);
    const pairs = x.shape[0]!;
    const extra = options.negatives?.shape[0] ?? 0;
    const wanted = {
      x: make.chance(0.7),
      y: make.chance(0.7),
      theta: 'theta' in options && make.chance(0.5),
      negatives: 'negatives' in options && make.chance(0.5),
    };
    return [make.float([]), x, y, make.float([6, pairs]), make.float([2 * pairs + extra]), options, wanted];
  },
  embedding(make) {
    const vocab = make.whole(1, 20);
    const tokens = Array.from({length: make.size()}, () => make.whole(0, vocab - 1));
    return [make.float([vocab, make.size()], make.floatDType()), make.int32(tokens)];
  },
  embeddingBackward(make) {
    const [tokens, vocab] = [make.size(), make.whole(1, 20)];
    const ids = Array.from({length: tokens}, () => make.whole(0, vocab - 1));
    return [make.float([tokens, make.size()], make.floatDType()), make.int32(ids), vocab];
  },
  fill: (make) => [[make.size(), make.size()], make.pick(dtypes), make.device, make.whole(0, 200)],
  globalNorm: (make) => [Array.from({length: make.whole(1, 3)}, () => make.float([make.size()]))],
  linear(make) {
    const [depth, dtype] = [make.size(40), make.floatDType()];
    return [make.float([make.size(), depth], dtype), make.float([make.size(40), depth], dtype)];
  },
  linearCrossEntropy: (make) => [...crossEntropyCase(make)],
  linearCrossEntropyBackward: (make) => [
    make.float([]),
    make.float([make.size(), make.size()]),
    make.floatDType(),
  ],
  matmul(make) {
    const [m, n, k, dtype] = [make.size(40), make.size(40), make.size(40), make.floatDType()];
    const [transposeA, transposeB] = [make.chance(0.5), make.chance(0.5)];
    const a = make.float(transposeA ? [k, m] : [m, k], dtype);
    const b = make.float(transposeB ? [n, k] : [k, n], dtype);
    return [a, b, {transposeA, transposeB, ...(make.chance(0.3) && {dtype: 'float32' as const})}];
  },
  normal(make) {
    const options = {
      seed: make.whole(0, 99),
      offset: make.whole(0, 99),
      mean: make.uniform(),
      std: make.uniform(),
    };
    return [[make.size(), make.size()], make.floatDType(), make.device, options];
  },
  pool(make) {
    const {hidden, starts, ends, pooling, normalize} = poolCase(make);
    return [hidden, starts, ends, pooling, normalize];
  },
  poolBackward(make) {
    const {hidden, starts, ends, pooling, normalize, tokens} = poolCase(make);
    const pairs = starts.shape[0]!;
    const shape = [pairs, hidden.shape[1]!];
    const norms = make.float([normalize ? pairs : 0]);
    return [make.float(shape), make.float(shape), norms, starts, ends, pooling, tokens, make.floatDType()];
  },
  reduce: (make) => [
    make.pick(['mean', 'sum']),
    make.float([make.whole(1, 9), make.whole(1, 40)], make.floatDType()),
    make.pick(['all', 'last']),
  ],
  reduceBackward(make) {
    const [shape, axis] = [[make.size(), make.size()], make.pick(['all', 'last'] as const)];
    return [
      make.pick(['mean', 'sum']),
      make.float(reducedShape(shape, axis)),
      shape,
      make.floatDType(),
      axis,
    ];
  },
  reduceMax: (make) => [
    make.float([make.whole(1, 9), make.whole(1, 40)], make.floatDType()),
    make.pick(['all', 'last']),
  ],
  reduceMaxBackward(make) {
    const [shape, axis] = [[make.whole(1, 5), make.whole(1, 9)], make.pick(['all', 'last'] as const)];
    const reduced = reducedShape(shape, axis);
    const dy = make.float(reduced, make.floatDType());
    const flat = make.int64(Array.from({length: reduced[0] ?? 1}, () => make.whole(0, shape[1]! - 1)));
    return [dy, native.view(flat, reduced, 0), shape, axis];
  },
  rmsNorm(make) {
    const {x, weight} = normCase(make);
    return [x, weight, 1e-5];
  },
  rmsNormBackward(make) {
    const {x, weight, tokens, shape, dtype} = normCase(make);
    const dSum = make.maybe(() => make.float(shape, dtype));
    const wanted = {x: make.chance(0.7), weight: make.chance(0.7)};
    return [make.float(shape, dtype), dSum, x, weight, make.float([tokens]), wanted];
  },
  rmsNormResidual(make) {
    const {x, weight, shape, dtype} = normCase(make);
    return [x, make.float(shape, dtype), weight, 1e-5];
  },
  rotary: rotaryCase,
  rotaryBackward: rotaryCase,
  softmax: (make) => [
    make.pick(['logSoftmax', 'softmax']),
    make.float([make.size(), make.size(40)], make.floatDType()),
  ],
  softmaxBackward(make) {
    const [shape, dtype] = [[make.size(), make.size(40)], make.floatDType()];
    const statistics = make.float([shape[0]!, 2]);
    return [
      make.pick(['logSoftmax', 'softmax']),
      make.float(shape, dtype),
      make.float(shape, dtype),
      statistics,
    ];
  },
  swiglu(make) {
    const [shape, dtype] = [[make.size(), make.size(40)], make.floatDType()];
    return [make.float(shape, dtype), make.float(shape, dtype)];
  },
  swigluBackward(make) {
    const [shape, dtype] = [[make.size(), make.size(40)], make.floatDType()];
    return [make.float(shape, dtype), make.float(shape, dtype), make.float(shape, dtype)];
  },
  unary: (make) => [
    make.pick(unaries),
    make.float([make.size(), make.size(40)], make.floatDType()),
    {factor: make.uniform(), low: -1, high: 1},
  ],
  unaryBackward(make) {
    const [shape, dtype] = [[make.size(), make.size(40)], make.floatDType()];
    return [
      make.pick(unaries),
      make.float(shape, dtype),
      make.float(shape, dtype),
      {factor: 2, low: -1, high: 1},
    ];
  },
  uniform(make) {
    const options = {seed: make.whole(0, 99), offset: make.whole(0, 99), low: -1, high: make.uniform()};
    return [[make.size(), make.size()], make.floatDType(), make.device, options];
  },
};
