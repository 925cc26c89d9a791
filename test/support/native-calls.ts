/** What native functions are called, and calls that fail. */
import {createRequire} from 'node:module';
import {addonInUse, native} from '../../lib/native.js';

type NativeFunction = (...args: unknown[]) => unknown;

/** How often each native function was called while `work` ran; those of handles, such as `dispose`, are not counted. */
export async function countCalls(work: () => Promise<unknown> | void): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const count =
    (original: NativeFunction, name: string): NativeFunction =>
    (...args) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return original(...args);
    };
  const names = Object.keys(createRequire(import.meta.url)(addonInUse().path) as object);
  await replacing(names, count, work);
  return counts;
}

/** Runs `work` while a native function throws at its n-th call, counted from 1. */
export async function failing(
  {name, call, error}: {readonly name: string; readonly call: number; readonly error: Error},
  work: () => Promise<unknown>,
): Promise<void> {
  let calls = 0;
  const fail =
    (original: NativeFunction): NativeFunction =>
    (...args) => {
      if (++calls === call) throw error;
      return original(...args);
    };
  await replacing([name], fail, work);
}

async function replacing(
  names: readonly string[],
  replace: (original: NativeFunction, name: string) => NativeFunction,
  work: () => Promise<unknown> | void,
): Promise<void> {
  const functions = native as unknown as Record<string, NativeFunction>;
  const originals = names.map((name) => [name, functions[name]!] as const);
  for (const [name, original] of originals) functions[name] = replace(original, name);
  try {
    await work();
  } finally {
    for (const [name, original] of originals) functions[name] = original;
  }
}
