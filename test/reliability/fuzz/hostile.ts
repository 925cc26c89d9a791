/** Values that no caller should give, and what becomes of a valid call with one of them in it. */
import {types} from 'node:util';
import {native, type NativeTensor} from '../../../lib/native.js';
import {Tensor, type Device} from '../../../lib/tensor/index.js';
import type {Random} from '../random.js';

/** What hostile getters and conversions throw: the one error without a code that may come back. */
export class HostileError extends Error {
  override readonly name = 'HostileError';
}

function hostile(): never {
  throw new HostileError('a getter of the caller');
}

/** The class of native handles, which no module exports. */
export const tensorClass = native.fill([], 'float32', 'cpu', 0).constructor as new (
  ...args: unknown[]
) => NativeTensor;

/** Whether a value is a tensor of the library, or a handle of the addon. */
function isTensor(value: unknown): value is Tensor | NativeTensor {
  return isOrdinary(value) && (value instanceof Tensor || isHandle(value));
}

/** Whether a value is a handle of the addon, and no Proxy of one. */
export function isHandle(value: unknown): value is NativeTensor {
  const handlesOwn: unknown = tensorClass.prototype;
  return isOrdinary(value) && Object.getPrototypeOf(value) === handlesOwn;
}

/** An object that can be asked for its prototype without running code of the caller. */
function isOrdinary(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !types.isProxy(value);
}

// Sizes that fit into memory are small; those that a machine might grant, and then lack, are left out.
const numbers = [
  NaN,
  Infinity,
  -Infinity,
  -0,
  0,
  -1,
  1,
  2,
  7,
  0.5,
  -2.5,
  1e300,
  5e-324,
  2 ** 45,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 31),
  2 ** 63,
  2 ** 64,
] as const;

/** Numbers that are no sizes of themselves: they pass through 32 bits. */
const wide = [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, -(2 ** 32)] as const;

const texts = [
  '',
  'cpu',
  'cuda',
  'simt',
  'float32',
  'int64',
  'causal',
  'constructor',
  '__proto__',
  'a\0b',
  '\ud800',
  'x'.repeat(100_000),
];

const objects: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => 3n,
  () => Symbol('hostile'),
  () => () => 1,
  () => ({}),
  () => [],
  () => new Date(0),
  () => new Map([[1, 2]]),
  () => Object.create(null),
  () => ({valueOf: hostile, toString: hostile, [Symbol.toPrimitive]: hostile}),
  () => new Proxy({}, {get: hostile, has: hostile, getPrototypeOf: hostile, ownKeys: hostile}),
  () => new Proxy([], {get: hostile}),
  () => Proxy.revocable({}, {}).proxy,
  () => revoked(),
  () => new Number(3), // oxlint-disable-line no-new-wrappers -- a boxed number is what is tried
  () => new ArrayBuffer(8),
  () => new DataView(new ArrayBuffer(8)),
  () => sparse(2 ** 20),
  () => [[1], [2]],
  () => cyclic(),
  () => Object.defineProperty([1, 2], 0, {get: hostile}),
  () => Object.create(native.fill([2], 'float32', 'cpu', 0)),
  () => new Proxy(native.fill([2], 'float32', 'cpu', 0), {}),
  () => tensorClass,
];

function revoked(): object {
  const {proxy, revoke} = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function cyclic(): unknown[] {
  const array: unknown[] = [];
  array.push(array);
  return array;
}

function sparse(length: number): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return array;
}

/** The addon refuses them by their length; JavaScript, of the library, walks all of their holes. */
const manyHoles = (): unknown[] => sparse(2 ** 32 - 1);

const arrays: readonly (() => unknown)[] = [
  () => detached(new Float32Array(6)),
  () => new Float32Array(new SharedArrayBuffer(24)),
  () => new Float32Array(resizable(24)),
  () => outOfBounds(),
  () => new Float32Array(new ArrayBuffer(64), 4, 6),
  () => new Float64Array(6),
  () => new Uint8Array(0),
  () => Buffer.from('abcdef'),
  () => new BigUint64Array(3),
  () => new Uint8Array(new ArrayBuffer(25), 1, 24),
];

/** The array, whose memory went elsewhere. */
export function detached<T extends NodeJS.TypedArray>(array: T): T {
  if (array.buffer instanceof ArrayBuffer) structuredClone(array.buffer, {transfer: [array.buffer]});
  return array;
}

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}

function resizable(bytes: number): Resizable {
  const options = {maxByteLength: 4 * bytes};
  return Reflect.construct(ArrayBuffer, [bytes, options]) as Resizable;
}

/** An array whose buffer has shrunk to less than where it begins. */
function outOfBounds(): Float32Array {
  const buffer = resizable(64);
  const array = new Float32Array(buffer, 32, 6);
  buffer.resize(16);
  return array;
}

const otherTensors: readonly ((device: string) => NativeTensor)[] = [
  (device) => native.fill([], 'float32', device, 1),
  (device) => native.fill([0, 4], 'bfloat16', device, 1),
  (device) => native.fill([2 ** 40, 0, 2 ** 40, 5], 'float32', device, 1),
  (device) => native.fill([2 ** 40, 0], 'float32', device, 1),
  (device) => native.fill([0, 2 ** 40], 'float32', device, 1),
  (device) => native.fill([2, 3, 4, 5, 6], 'float16', device, 1),
  (device) => native.fill([7], 'int32', device, -5),
  (device) => native.fill([7], 'int32', device, 2 ** 31 - 1),
  (device) => native.fill([3], 'int64', device, 2 ** 53),
  (device) => native.fill([9], 'uint8', device, 255),
  (device) => native.view(native.fill([9, 9], 'float32', device, NaN), [3, 3], 1),
  () => native.fill([5, 5], 'float32', native.devices().at(-1)!, 1),
];

/** Where calls go, and what their tensors are. */
export interface Target {
  readonly device: Device;
  /** Whether they go straight to the addon. */
  readonly isNative: boolean;
  /** Whether the allocator refuses large sizes, so that some may be asked for that a machine would grant. */
  readonly isSanitized: boolean;
  /** A handle as the functions take it. */
  readonly wrap: (handle: NativeTensor) => Tensor | NativeTensor;
}

/** A value that does not belong where it is put. */
function strange(random: Random, {device, isNative, isSanitized, wrap}: Target): unknown {
  if (isNative && random.chance(0.01)) return manyHoles();
  const kind = random.uniform();
  if (kind < 0.3) return random.pick(random.chance(0.3) && isSanitized ? wide : numbers);
  if (kind < 0.4) return random.pick(texts);
  if (kind < 0.6) return random.pick(objects)();
  if (kind < 0.75) return random.pick(arrays)();
  const tensor = wrap(random.pick(otherTensors)(device));
  if (random.chance(0.1)) tensor.dispose();
  return tensor;
}

/** A place in the arguments of a call. */
interface Place {
  readonly holder: Record<PropertyKey, unknown> | unknown[];
  readonly key: PropertyKey;
}

/** What stands in a place, without calling a getter. */
function valueAt({holder, key}: Place): unknown {
  return Object.getOwnPropertyDescriptor(holder, key)?.value;
}

/** Arrays, plain objects and the arguments themselves are looked into; handles and typed arrays are not. */
function placesIn(holder: Place['holder'], depth = 0): Place[] {
  return Reflect.ownKeys(holder).flatMap((key): Place[] => {
    if (key === 'length') return [];
    const value = valueAt({holder, key});
    const isOpen = (isOrdinary(value) && Array.isArray(value)) || (isPlain(value) && depth < 3);
    const inner = isOpen && depth < 3 ? placesIn(value as Place['holder'], depth + 1) : [];
    return [{holder, key}, ...inner];
  });
}

/** An object of braces. */
export function isPlain(value: unknown): value is Record<PropertyKey, unknown> {
  return isOrdinary(value) && Object.getPrototypeOf(value) === Object.prototype;
}

type Mutation = (args: unknown[], random: Random, target: Target) => void;

/** A getter in the place of a value, which does something to the other arguments before it gives it. */
function sideEffect(args: unknown[], random: Random): void {
  const open = placesIn(args).filter(({holder}) => holder !== args && Object.isExtensible(holder));
  const place = random.pick([...open, undefined]);
  if (place === undefined) return;
  const value = valueAt(place);
  const act = random.pick([
    hostile,
    () => args.filter(isTensor).forEach((handle) => handle.dispose()),
    () => args.filter(isDetachable).forEach((array) => detached(array)),
    () => void (Array.isArray(place.holder) && (place.holder.length = 0)),
    () => void (Array.isArray(place.holder) && place.holder.length < 50 && place.holder.push(1)),
  ]);
  Object.defineProperty(place.holder, place.key, {
    configurable: true,
    enumerable: true,
    get: () => {
      act();
      return value;
    },
  });
}

function isDetachable(value: unknown): value is NodeJS.TypedArray {
  return ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer && value.buffer.byteLength > 0;
}

const replace: Mutation = (args, random, target) => {
  const places = placesIn(args);
  const value = strange(random, target);
  if (places.length === 0) {
    args.push(value);
    return;
  }
  const {holder, key} = random.pick(places);
  Reflect.defineProperty(holder, key, {value, writable: true, configurable: true, enumerable: true});
};

/** The same tensor in two places. */
function alias(args: unknown[], random: Random): void {
  const places = placesIn(args).filter(({holder, key}) => isTensor(valueAt({holder, key})));
  if (places.length < 2) return;
  const [from, to] = [random.pick(places), random.pick(places)];
  Reflect.set(to.holder, to.key, valueAt(from));
}

const mutations: readonly Mutation[] = [
  replace,
  replace,
  replace,
  replace,
  sideEffect,
  alias,
  (args, random) => void (args.length = random.whole(0, Math.max(0, args.length - 1))),
  (args, random, target) => void args.push(strange(random, target)),
  (args, random) => {
    const tensors = args.filter(isTensor);
    if (tensors.length > 0) random.pick(tensors).dispose();
  },
  (args) => args.filter(isDetachable).forEach((array) => detached(array)),
];

/** Spoils the arguments of a valid call, in one or two places. */
export function mutate(args: unknown[], random: Random, target: Target): void {
  for (let left = random.whole(1, 2); left > 0; left--) random.pick(mutations)(args, random, target);
}
