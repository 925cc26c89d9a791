/** Ops whose elements do not meet. Arithmetic is float32; results are rounded once. */
import {record, requiresGradient} from '../autograd/index.js';
import {native, type BinaryName, type NativeTensor, type UnaryName, type UnaryOptions} from '../native.js';
import {Tensor} from '../tensor/index.js';

/**
 * `a + b`
 *
 * @param a any shape, float32, bfloat16 or float16
 * @param b the shape of `a`, or [features] for `a` of [..., features], in the dtype of `a`; or [] in that dtype or in float32; or a
 *   number. What is smaller is repeated, and its gradient is the sum over the repetitions
 * @returns like `a`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function add(a: Tensor, b: Tensor | number): Tensor {
  return binary('add', a, b);
}

/** `a - b`, with operands and errors as in `add`. */
export function subtract(a: Tensor, b: Tensor | number): Tensor {
  return binary('subtract', a, b);
}

/** `a * b`, with operands and errors as in `add`. */
export function multiply(a: Tensor, b: Tensor | number): Tensor {
  return binary('multiply', a, b);
}

/** `a / b`, with operands and errors as in `add`. Division by 0 gives infinity or NaN. */
export function divide(a: Tensor, b: Tensor | number): Tensor {
  return binary('divide', a, b);
}

/**
 * The greater of `a` and `b`, NaN where one of them is, with operands and errors as in `add`. Where they are equal each has half of
 * the gradient.
 */
export function maximum(a: Tensor, b: Tensor | number): Tensor {
  return binary('maximum', a, b);
}

/**
 * The lesser of `a` and `b`, NaN where one of them is, with operands and errors as in `add`. Where they are equal each has half of
 * the gradient.
 */
export function minimum(a: Tensor, b: Tensor | number): Tensor {
  return binary('minimum', a, b);
}

/**
 * `x * factor`
 *
 * @param x any shape, float32, bfloat16 or float16
 * @param factor finite
 * @returns like `x`
 * @throws ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function scale(x: Tensor, factor: number): Tensor {
  return unary('scale', x, {factor});
}

/** Bounds of `clamp`. */
export interface ClampOptions {
  /** Default: no bound. */
  readonly low?: number;
  /** At least `low`; default: no bound. */
  readonly high?: number;
}

/**
 * `min(max(x, low), high)`, NaN for NaN. The gradient passes from `low` to `high`, both included, and is 0 elsewhere.
 *
 * @param x any shape, float32, bfloat16 or float16
 * @returns like `x`
 * @throws ERR_DTYPE, ERR_ARGUMENT where `low` is above `high`; ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function clamp(x: Tensor, {low = -Infinity, high = Infinity}: ClampOptions): Tensor {
  return unary('clamp', x, {low, high});
}

/**
 * `-x`
 *
 * @param x any shape, float32, bfloat16 or float16
 * @returns like `x`
 * @throws ERR_DTYPE, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function negate(x: Tensor): Tensor {
  return unary('negate', x);
}

/** `e^x`, with operand and errors as in `negate`. */
export function exp(x: Tensor): Tensor {
  return unary('exp', x);
}

/** The natural logarithm: -Infinity for 0, NaN below. Operand and errors as in `negate`. */
export function log(x: Tensor): Tensor {
  return unary('log', x);
}

/** The square root, NaN below 0. Its derivative at 0 is infinite. Operand and errors as in `negate`. */
export function sqrt(x: Tensor): Tensor {
  return unary('sqrt', x);
}

/** `x * x`, with operand and errors as in `negate`. */
export function square(x: Tensor): Tensor {
  return unary('square', x);
}

/** `1 / (1 + e^-x)`, with operand and errors as in `negate`. */
export function sigmoid(x: Tensor): Tensor {
  return unary('sigmoid', x);
}

/** `x / (1 + e^-x)`, with operand and errors as in `negate`. @see Elfwing et al. 2017, arXiv:1702.03118 */
export function silu(x: Tensor): Tensor {
  return unary('silu', x);
}

/**
 * `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³)))`, the tanh form. Operand and errors as in `negate`.
 *
 * @see Hendrycks and Gimpel 2016, arXiv:1606.08415
 */
export function gelu(x: Tensor): Tensor {
  return unary('gelu', x);
}

/** `max(x, 0)`, NaN for NaN. Its derivative at 0 is 0. Operand and errors as in `negate`. */
export function relu(x: Tensor): Tensor {
  return unary('relu', x);
}

/** The hyperbolic tangent, with operand and errors as in `negate`. */
export function tanh(x: Tensor): Tensor {
  return unary('tanh', x);
}

/** Multiplication by a constant: the gradient is the op itself, and nothing is saved. */
const linear: ReadonlySet<UnaryName> = new Set(['negate', 'scale']);

function unary(op: UnaryName, x: Tensor, options: UnaryOptions = {}): Tensor {
  const output = native.unary(op, x.native, options);
  const [y] = linear.has(op)
    ? record(op, {
        inputs: [x],
        outputs: [output],
        saved: [],
        takesAnyDType: true,
        backward: ([dy]) => [native.unary(op, dy, options)],
      })
    : record(op, {
        inputs: [x],
        outputs: [output],
        saved: [x.native],
        backward: ([dy], [x]) => [native.unaryBackward(op, dy, x, options)],
      });
  return y;
}

function binary(op: BinaryName, a: Tensor, b: Tensor | number): Tensor {
  if (b instanceof Tensor) return binaryOfTensors(op, a, b);
  const number = Tensor.untracked(native.fill([], 'float32', a.device, b));
  const y = binaryOfTensors(op, a, number);
  number.dispose();
  return y;
}

function binaryOfTensors(op: BinaryName, a: Tensor, b: Tensor): Tensor {
  const output = native.binary(op, a.native, b.native);
  const isSum = op === 'add' || op === 'subtract';
  // Ranks tell whether b was repeated: the op has checked the shapes.
  if (isSum && a.rank === b.rank && a.dtype === b.dtype) return recordSum(op, a, b, output);
  const isProduct = op === 'multiply' || op === 'divide';
  const readsA = !isSum && (!isProduct || requiresGradient(b));
  const [y] = record(op, {
    inputs: [a, b],
    outputs: [output],
    saved: readsA ? [b.native, a.native] : [b.native],
    // Where a is not read, dy stands in for it: it has the shape and dtype.
    backward: ([dy], [b, a = dy], [wantsA = false, wantsB = false]) => {
      const {da, db} = native.binaryBackward(op, dy, a, b, wantsA && !isSum, wantsB);
      return [isSum ? dy : da, db];
    },
  });
  return y;
}

/** The sum or difference of two tensors of one shape hands its gradient on. */
function recordSum(op: BinaryName, a: Tensor, b: Tensor, output: NativeTensor): Tensor {
  const [y] = record(op, {
    inputs: [a, b],
    outputs: [output],
    saved: [],
    takesAnyDType: true,
    backward: ([dy], _, [, wantsB]) => [
      dy,
      op === 'subtract' && wantsB === true ? native.unary('negate', dy, {}) : dy,
    ],
  });
  return y;
}
