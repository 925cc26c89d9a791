/** What tests of ops share: cases over devices and dtypes, and comparison with a reference in float64. */
import test, {type ExecutionContext} from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {
  devices,
  isFloatDType,
  tensor,
  type Device,
  type FloatDType,
  type Tensor,
} from '../../lib/tensor/index.js';
import {uniformNumbers} from './numbers.js';
import {exact, rounding, type Round} from './rounding.js';

export const floatDTypes = ['float32', 'bfloat16', 'float16'] as const;

/** Where a case runs. */
export interface On<D = FloatDType> {
  readonly device: Device;
  readonly dtype: D;
}

/** Devices that op tests run on: those of CROSSMAP_TEST_DEVICES, all of which must be there, or all that are. */
export const testDevices: readonly Device[] = chosenDevices();

/** A test for each device and dtype; its title starts with both. */
export function onEachDevice<const D extends string>(
  dtypes: readonly D[],
  title: string,
  body: (t: ExecutionContext, on: On<D>) => Promise<void> | void,
): void {
  for (const device of testDevices)
    for (const dtype of dtypes) test(`${device} ${dtype} ${title}`, (t) => body(t, {device, dtype}));
}

/** Numbers, nested or flat. */
type Numbers = ArrayLike<number> | readonly Numbers[];

/**
 * Passes if the op errs at most twice as much as plain code that rounds each intermediate result to the dtype does, plus the floor of
 * float32 sums: `max|op - exact| <= 2 max|plain - exact| + floor`.
 *
 * @param reference the equation in float64; `round` stands around each intermediate tensor. It must round its inputs itself or get
 *   inputs that the dtype holds (`representable`)
 */
export async function asGoodAsPlain(
  t: ExecutionContext,
  op: Tensor,
  reference: (round: Round) => Numbers,
): Promise<void> {
  const wanted = flat(reference(exact));
  const plain = flat(reference(rounding[floatDTypeOf(op)]));
  const got = await op.floats();
  t.is(got.length, wanted.length, 'number of elements');
  const tolerance = 2 * largestDifference(plain, wanted) + sumFloor * largest(wanted) + 1e-30;
  closeTo(t, got, wanted, tolerance);
}

/** Order of float32 sums: 2^-24 per addition, over the few hundred additions of a test's sums; relative to the largest result. */
export const sumFloor = 2 ** -17;

/** Passes if all elements differ by at most `tolerance`; infinities must be equal, NaN is never close. */
export function closeTo(
  t: ExecutionContext,
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
): void {
  const worst = Array.from(wanted, (value, index) => {
    const difference = got[index] === value ? 0 : Math.abs(got[index]! - value);
    return {index, difference: Number.isNaN(difference) ? Infinity : difference};
  }).reduce((a, b) => (b.difference > a.difference ? b : a), {index: -1, difference: 0});
  t.true(
    worst.difference <= tolerance,
    `element ${worst.index}: got ${got[worst.index]}, wanted ${wanted[worst.index]}; ` +
      `they differ by ${worst.difference}, more than ${tolerance}`,
  );
}

/** An input of an op: its shape and its elements, flat. */
export interface Input {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Default: that of the case. */
  readonly dtype?: FloatDType;
}

/** What `gradientsMatch` compares. */
export interface GradientCase {
  /** Inputs that have gradients, by name. */
  readonly inputs: Readonly<Record<string, Input>>;
  /** The op on tensors of the inputs, in their order. */
  readonly op: (...inputs: Tensor[]) => Tensor;
  /** The same in float64, from flat elements to flat elements. */
  readonly reference: (...inputs: number[][]) => Numbers;
  /** Relative to the largest element of a gradient; default by dtype. */
  readonly tolerance?: number;
}

// A backward pass rounds its results, and what it reads of the forward pass, to the dtype: a handful of half units in the last place,
// 2^-9 of a value for bfloat16, 2^-12 for float16. float32 adds the order of its sums.
const gradientTolerance: Readonly<Record<FloatDType, number>> = {
  float32: 2 ** -15,
  bfloat16: 2 ** -5,
  float16: 2 ** -8,
};

/** Elements of each input that are varied for the finite differences. */
const probes = 48;

/**
 * Passes if the op's gradients agree with central differences of the reference. The loss is the sum of the outputs, each times a
 * seeded factor, so that gradients of equal outputs cannot hide behind each other.
 */
export async function gradientsMatch(
  t: ExecutionContext,
  {device, dtype}: On,
  {inputs, op, reference, tolerance = gradientTolerance[dtype]}: GradientCase,
): Promise<void> {
  const values = Object.values(inputs).map((input) => representable(input.values, input.dtype ?? dtype));
  const leaves = Object.values(inputs).map((input, index) =>
    requireGradient(tensor([...values[index]!], {shape: input.shape, dtype: input.dtype ?? dtype, device})),
  );
  const output = op(...leaves);
  const uniform = uniformNumbers(7);
  const outputDType = floatDTypeOf(output);
  const factors = representable(
    Array.from({length: output.size}, () => 0.5 + uniform()),
    outputDType,
  );
  backward(output, tensor(factors, {shape: output.shape, dtype: outputDType, device}));
  const loss = (changed: number[][]): number => {
    const results = flat(reference(...changed));
    return results.reduce((sum, value, index) => sum + value * factors[index]!, 0);
  };
  for (const [index, name] of Object.keys(inputs).entries()) {
    const found = gradient(leaves[index]!);
    t.truthy(found, `${name} has a gradient`);
    const got = await found!.floats();
    const chosen = probedElements(got.length, index);
    const wanted = chosen.map((element) => centralDifference(loss, values, index, element));
    closeTo(
      t,
      chosen.map((element) => got[element]!),
      wanted,
      tolerance * largest(wanted) + 1e-7,
    );
  }
}

/** The numbers rounded to what the dtype can hold. */
export function representable(values: readonly number[], dtype: FloatDType): number[] {
  return values.map(rounding[dtype]);
}

function centralDifference(
  loss: (values: number[][]) => number,
  values: readonly number[][],
  input: number,
  element: number,
): number {
  const at = (change: number): number =>
    loss(
      values.map((each, i) => (i === input ? each.map((v, e) => (e === element ? v + change : v)) : each)),
    );
  // Four points: the error is of the order of step^4, 1e-12, and that of rounding 1e-16 / step.
  const step = 1e-3;
  return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

function probedElements(count: number, seed: number): number[] {
  if (count <= probes) return Array.from({length: count}, (_, element) => element);
  const uniform = uniformNumbers(seed + 11);
  return Array.from({length: probes}, () => Math.floor(uniform() * count));
}

function chosenDevices(): readonly Device[] {
  const wanted = process.env['CROSSMAP_TEST_DEVICES'];
  if (!wanted) return devices();
  return wanted.split(',').map((name) => {
    const device = devices().find((each) => each === name);
    if (device === undefined) throw new Error(`CROSSMAP_TEST_DEVICES names ${name}, which is not here`);
    return device;
  });
}

function floatDTypeOf({dtype}: Tensor): FloatDType {
  if (isFloatDType(dtype)) return dtype;
  throw new Error(`asGoodAsPlain compares floats; got ${dtype}`);
}

function flat(numbers: Numbers): number[] {
  return Array.from(numbers as ArrayLike<number | Numbers>, (each) =>
    typeof each === 'number' ? [each] : flat(each),
  ).flat();
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return largest(a.map((value, index) => value - b[index]!));
}
