/** A valid call of each function of the library that makes or takes tensors. An op that is added and not here does not compile. */
import * as autograd from '../../../lib/autograd/index.js';
import {type NativeTensor} from '../../../lib/native.js';
import * as ops from '../../../lib/ops/index.js';
import {empty, full, scope, tensor, zeros, type Tensor} from '../../../lib/tensor/index.js';
import {
  adamwCase,
  attentionCase,
  binaryCase,
  contrastiveCase,
  crossEntropyCase,
  normCase,
  poolCase,
} from './cases.js';
import type {Make} from './make.js';
import {nativeCalls} from './native-calls.js';

const made = {empty, full, tensor, zeros};

const {requireGradient, gradient, detach, backward} = autograd;

/** Methods of tensors, and what is no op. */
const others = {
  requireGradient,
  gradient,
  detach,
  backward,
  scope: (x: Tensor) => scope(() => ops.square(x)),
  view: (x: Tensor, shape: readonly number[]) => x.view(shape),
  rows: (x: Tensor, start: number, end: number) => x.rows(start, end),
  copyFrom: (to: Tensor, from: Tensor) => to.copyFrom(from),
  data: (x: Tensor) => x.data(),
  floats: (x: Tensor) => x.floats(),
  item: (x: Tensor) => x.item(),
};

export const libraryFunctions = {...ops, ...made, ...others};

type LibraryName = keyof typeof libraryFunctions;

const one = (make: Make): unknown[] => [make.float([make.size(), make.size(40)], make.floatDType())];

const two = (make: Make): unknown[] => {
  const {a, b} = binaryCase(make);
  return [a, make.chance(0.2) ? make.uniform() : b];
};

const created = (make: Make): Record<string, unknown> => ({
  dtype: make.pick(['float32', 'bfloat16', 'int32', 'int64', 'uint8']),
  device: make.device,
});

const reduced = (make: Make): unknown[] => [
  make.float([make.whole(1, 9), make.whole(1, 40)], make.floatDType()),
  {axis: make.pick(['all', 'last'])},
];

/** Arguments by position; handles stand for tensors. */
export const libraryCalls: Readonly<Record<LibraryName, (make: Make) => unknown[]>> = {
  adamw: (make) => [adamwCase(make)],
  attention(make) {
    const {q, k, v, starts, options} = attentionCase(make);
    return [q, k, v, {...options, segmentStarts: starts}];
  },
  cast: (make) => nativeCalls.cast(make),
  contrastive(make) {
    const {x, y, options} = contrastiveCase(make);
    const {theta, ...others} = options;
    return [x, y, theta === undefined ? others : {...others, temperature: theta}];
  },
  add: two,
  subtract: two,
  multiply: two,
  divide: two,
  maximum: two,
  minimum: two,
  clamp: (make) => [...one(make), {low: -1, high: 1}],
  scale: (make) => [...one(make), make.uniform()],
  exp: one,
  gelu: one,
  log: one,
  negate: one,
  relu: one,
  sigmoid: one,
  silu: one,
  sqrt: one,
  square: one,
  tanh: one,
  embedding: (make) => nativeCalls.embedding(make),
  clipScale: (make) => nativeCalls.clipScale(make),
  globalNorm: (make) => nativeCalls.globalNorm(make),
  linearCrossEntropy(make) {
    const [hidden, weight, targets, {wantsHidden: _h, wantsWeight: _w, ...options}] = crossEntropyCase(make);
    return [hidden, weight, targets, options];
  },
  linear: (make) => nativeCalls.linear(make),
  matmul: (make) => nativeCalls.matmul(make),
  pool(make) {
    const {hidden, starts, ends, pooling, normalize} = poolCase(make);
    return [hidden, starts, ends, {pooling, normalize}];
  },
  normal: (make) => [
    [make.size(), make.size()],
    {seed: make.whole(0, 9), dtype: make.floatDType(), device: make.device},
  ],
  uniform: (make) => [[make.size(), make.size()], {seed: make.whole(0, 9), low: -1, device: make.device}],
  max: reduced,
  mean: reduced,
  sum: reduced,
  reshape(make) {
    const [a, b] = [make.size(), make.size()];
    return [make.float([a, b], make.floatDType()), make.pick([[b, a], [-1], [a * b], [a, b, 1]])];
  },
  rmsNorm(make) {
    const {x, weight} = normCase(make);
    return [x, weight, {eps: 1e-6}];
  },
  rmsNormResidual(make) {
    const {x, weight, shape, dtype} = normCase(make);
    return [x, make.float(shape, dtype), weight];
  },
  rotary(make) {
    const [x, positions, frequencies, scale] = nativeCalls.rotary(make);
    return [x, positions, frequencies, {scale}];
  },
  sliceRows: (make) => [make.float([9, make.size()], make.floatDType()), make.whole(0, 4), make.whole(4, 9)],
  logSoftmax: one,
  softmax: one,
  swiglu: (make) => nativeCalls.swiglu(make),
  empty: (make) => [[make.size(), make.size()], created(make)],
  full: (make) => [[make.size(), make.size()], make.whole(0, 200), created(make)],
  zeros: (make) => [[make.size(), make.size()], created(make)],
  tensor: (make) =>
    make.pick([
      () => [[[1, 2, 3], [4, 5, 6]], created(make)], // prettier-ignore
      () => [new Float32Array(6).fill(2), {shape: [2, 3], transfer: make.chance(0.5)}],
      () => [new Uint16Array(6), {shape: [2, 3], dtype: 'bfloat16'}],
      () => [7, created(make)],
    ])(),
  requireGradient: one,
  gradient: one,
  detach: one,
  backward: (make) => [make.float([])],
  scope: one,
  view: (make) => [make.float([6, 4]), make.pick([[4, 6], [-1, 2], [24]])],
  rows: (make) => [make.float([9, make.size()]), make.whole(0, 4), make.whole(4, 9)],
  copyFrom: (make) => [make.float([5, 4]), make.float([5, 4])],
  data: one,
  floats: one,
  item: (make) => [make.float([], make.floatDType())],
};

/** The handles in arguments become tensors. */
export function withTensors(value: unknown, wrap: (handle: NativeTensor) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => withTensors(each, wrap));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return wrap(value as NativeTensor);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withTensors(each, wrap)]));
}
