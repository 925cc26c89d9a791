/** Tests of native memory. They run alone, and first in their file: what other tests leave to the garbage collector would disturb them. */
import test, {type ExecutionContext} from 'ava';
import {memory} from '../../lib/tensor/index.js';
import {testDevices, type On} from './ops.js';

/** A test for each device, in float32, beside which no other test of the file runs. */
export function aloneOnEachDevice(
  title: string,
  body: (t: ExecutionContext, on: On) => Promise<void> | void,
): void {
  for (const device of testDevices)
    test.serial(`${device} ${title}`, (t) => body(t, {device, dtype: 'float32'}));
}

/** Passes if as much memory is allocated after the work as was before. */
export async function keepsNothing(
  t: ExecutionContext,
  {device}: On,
  work: () => Promise<unknown> | void,
): Promise<void> {
  const before = memory(device).allocatedBytes;
  await work();
  t.is(memory(device).allocatedBytes, before);
}
