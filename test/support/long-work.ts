/** Work that is still under way when what enqueued it goes on. */
import {normal} from '../../lib/ops/index.js';
import type {Device} from '../../lib/tensor/index.js';

/** Some ten milliseconds a round, whose result nobody wants: the emulated GPU computes a hundredth as fast. */
export function enqueueLongWork(device: Device, rounds: number): void {
  const elements = device === 'simt' ? 2 ** 14 : 2 ** 21;
  for (let round = 0; round < rounds; round++) normal([elements], {seed: round, device}).dispose();
}
