/** Calls of what the handles themselves have, on receivers that are none, and of their class. */
import {createRequire} from 'node:module';
import {addonInUse, native} from '../../../lib/native.js';
import type {Random} from '../random.js';
import {tensorClass, type Target} from './hostile.js';

/** A call of a handle's method or getter, or of its class. */
export interface HandleCall {
  readonly name: string;
  readonly run: (...args: unknown[]) => unknown;
  readonly args: unknown[];
}

const getters = ['shape', 'dtype', 'device', 'isDisposed', 'isShared'] as const;
const methods = ['dispose', 'retain'] as const;

function disposed(device: string): unknown {
  const handle = native.fill([2], 'float32', device, 1);
  handle.dispose();
  return handle;
}

const receivers: readonly ((device: string) => unknown)[] = [
  (device) => native.fill([2, 3], 'float32', device, 1),
  disposed,
  () => undefined,
  () => null,
  () => 3,
  () => ({}),
  () => tensorClass.prototype,
  () => tensorClass,
  () => Object.create(tensorClass.prototype as object),
  (device) => Object.create(native.fill([2], 'float32', device, 1)) as unknown,
  (device) => new Proxy(native.fill([2], 'float32', device, 1), {}),
  () => createRequire(import.meta.url)(addonInUse().path) as unknown,
  () => recording('cpu'),
  () => recording(native.devices().at(-1)!),
];

/** The handle of a recording, where the device records: a native object of another class. */
function recording(device: string): unknown {
  if (!native.canCapture(device)) return new Uint8Array(3);
  native.beginCapture(device);
  return native.endCapture(device);
}

export function handleCall(random: Random, {device}: Target): HandleCall {
  const receiver = random.pick(receivers)(device);
  if (random.chance(0.2)) {
    const args = random.pick([[], [receiver], [{}], [receiver, receiver], ['text']]);
    const construct = random.pick([
      () => new tensorClass(...args),
      () => Reflect.apply(tensorClass, receiver, args) as unknown,
      () => Reflect.construct(tensorClass, args, Map) as unknown,
    ]);
    return {name: 'NativeTensor', run: construct, args};
  }
  const prototype = tensorClass.prototype as object;
  const key = random.pick([...getters, ...methods]);
  const {get, value} = Object.getOwnPropertyDescriptor(prototype, key) ?? {};
  const run = (get ?? value) as (...args: unknown[]) => unknown;
  return {name: `NativeTensor.${key}`, run: (that) => Reflect.apply(run, that, []), args: [receiver]};
}
