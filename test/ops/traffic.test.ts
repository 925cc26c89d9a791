/**
 * Ops that are bound by memory move hardly more than they must: counted by the emulator, in sectors of 32 bytes that warps ask for. An
 * access that is not coalesced, an operand that is read twice, or one that nobody needs, all exceed the bound.
 */
import test from 'ava';
import {backward, requireGradient} from '../../lib/autograd/index.js';
import {movedBytes} from '../../lib/bench/roofline.js';
import {native} from '../../lib/native.js';
import {
  adamw,
  add,
  cast,
  gelu,
  globalNorm,
  logSoftmax,
  max,
  multiply,
  normal,
  softmax,
  sum,
  swiglu,
  uniform,
} from '../../lib/ops/index.js';
import {bytesOf, full, zeros, type Tensor} from '../../lib/tensor/index.js';
import {testDevices} from '../support/ops.js';

const device = 'simt';

// Large enough that partial sums and rows that are shared are small beside it.
const rows = 256;
const features = 512;
const shape = [rows, features] as const;
const size = rows * features;

interface Case {
  /** Bytes of what must be read and written, each once. */
  readonly least: number;
  readonly run: () => unknown;
}

type Prepare = (dtype: 'float32' | 'bfloat16') => Case;

const make = (dtype: 'float32' | 'bfloat16', seed: number, of: readonly number[] = shape): Tensor =>
  normal(of, {seed, dtype, device});

/** The backward pass of an op, whose forward pass has run before. */
function backwardOf(
  tensors: number,
  inputs: readonly (readonly number[])[],
  op: (...x: Tensor[]) => Tensor,
): Prepare {
  return (dtype) => {
    const leaves = inputs.map((each, index) => requireGradient(make(dtype, index + 1, each)));
    const y = op(...leaves);
    const dy = make(y.dtype === 'float32' ? 'float32' : dtype, 9, y.shape);
    return {least: tensors * size * bytesOf(dtype), run: () => backward(y, dy)};
  };
}

function forwardOf(
  tensors: number,
  inputs: readonly (readonly number[])[],
  op: (...x: Tensor[]) => Tensor,
): Prepare {
  return (dtype) => {
    const operands = inputs.map((each, index) => make(dtype, index + 1, each));
    return {least: tensors * size * bytesOf(dtype), run: () => op(...operands)};
  };
}

const adamwStep: Prepare = (dtype) => {
  const isMaster = dtype !== 'float32';
  const options = {
    parameters: [make(dtype, 1)],
    gradients: [make('float32', 2)],
    masters: isMaster ? [make('float32', 3)] : [undefined],
    firstMoments: [zeros(shape, {device})],
    secondMoments: [zeros(shape, {device})],
    weightDecays: [0.1],
    gradientScale: full([], 1, {device}),
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    step: 1,
  };
  // The gradient is read; weights and moments are read and written; the parameter beside a master is written.
  const least = size * (7 * 4 + (isMaster ? bytesOf(dtype) : 0));
  return {least, run: () => adamw(options)};
};

const row = [features];

const cases: Readonly<Record<string, Prepare>> = {
  adamw: adamwStep,
  add: forwardOf(3, [shape, shape], (...[a, b]) => add(a!, b!)),
  'cast to float32': (dtype) => {
    const x = make(dtype, 1);
    return {least: size * (bytesOf(dtype) + 4), run: () => cast(x, 'float32')};
  },
  'cast to bfloat16': (dtype) => {
    const x = make(dtype, 1);
    return {least: size * (bytesOf(dtype) + 2), run: () => cast(x, 'bfloat16')};
  },
  fill: (dtype) => ({least: size * bytesOf(dtype), run: () => full(shape, 1, {dtype, device})}),
  gelu: forwardOf(2, [shape], (x) => gelu(x)),
  'gelu backward': backwardOf(3, [shape], (x) => gelu(x)),
  globalNorm: () => {
    const x = make('float32', 1);
    return {least: 4 * size, run: () => globalNorm([x])};
  },
  logSoftmax: forwardOf(2, [shape], (x) => logSoftmax(x)),
  'logSoftmax backward': backwardOf(3, [shape], (x) => logSoftmax(x)),
  'max of each row': forwardOf(1, [shape], (x) => max(x, {axis: 'last'})),
  'multiply by a row': forwardOf(2, [shape, row], (...[a, b]) => multiply(a!, b!)),
  'multiply by a row, backward': backwardOf(3, [shape, row], (...[a, b]) => multiply(a!, b!)),
  'multiply by a scalar': forwardOf(2, [shape, []], (...[a, b]) => multiply(a!, b!)),
  'multiply by a scalar, backward': backwardOf(3, [shape, []], (...[a, b]) => multiply(a!, b!)),
  'multiply, backward': backwardOf(5, [shape, shape], (...[a, b]) => multiply(a!, b!)),
  normal: (dtype) => ({
    least: size * bytesOf(dtype),
    run: () => normal(shape, {seed: 1, dtype, device}),
  }),
  softmax: forwardOf(2, [shape], (x) => softmax(x)),
  'softmax backward': backwardOf(3, [shape], (x) => softmax(x)),
  'softmax of long rows': forwardOf(2, [[size / 4096, 4096]], (x) => softmax(x)),
  'softmax of long rows, backward': backwardOf(3, [[size / 4096, 4096]], (x) => softmax(x)),
  sum: forwardOf(1, [shape], (x) => sum(x)),
  'sum of each row': forwardOf(1, [shape], (x) => sum(x, {axis: 'last'})),
  'sum of each row, backward': backwardOf(1, [shape], (x) => sum(x, {axis: 'last'})),
  swiglu: forwardOf(3, [shape, shape], (...[gate, up]) => swiglu(gate!, up!)),
  'swiglu backward': backwardOf(5, [shape, shape], (...[gate, up]) => swiglu(gate!, up!)),
  uniform: (dtype) => ({
    least: size * bytesOf(dtype),
    run: () => uniform(shape, {seed: 1, dtype, device}),
  }),
};

/** What the goal leaves beside the least: a tenth. */
const mostMoved = 1.1;

if (testDevices.includes(device))
  for (const [name, prepare] of Object.entries(cases))
    for (const dtype of ['float32', 'bfloat16'] as const)
      // In turn, since the counters are those of the process.
      test.serial(`${device} ${dtype} ${name} moves at most ${mostMoved} times the least bytes`, (t) => {
        const {least, run} = prepare(dtype);
        native.simtCounters(); // waits for what ran before
        native.simtProfile(true);
        run();
        const counters = native.simtCounters();
        native.simtProfile(false);
        // The sum of gradients that meet at a leaf is float32: the cast to it is no part of the op.
        const ratio =
          movedBytes(counters.filter(({kernel}) => name.startsWith('cast') || kernel !== 'cast')) / least;
        t.true(
          ratio >= 1 && ratio <= mostMoved,
          `${name} moves ${ratio} of the least: ${JSON.stringify(counters)}`,
        );
      });
else test('traffic is counted on the emulator alone', (t) => t.false(testDevices.includes(device)));
