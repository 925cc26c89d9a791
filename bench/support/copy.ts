/** The rate that kernels which are bound by memory answer to. */
import {zeros} from '../../lib/tensor/index.js';
import type {BenchCase} from './bench.js';

/**
 * A peer that copies memory on all threads and moves as many bytes: half of them are read, half written. How fast we are beside it is the
 * share of the copy rate that we reach.
 */
export function copyOf(bytes: number): NonNullable<BenchCase['peer']> {
  const half = Math.ceil(bytes / 2);
  const from = zeros([half], {dtype: 'uint8'});
  const to = zeros([half], {dtype: 'uint8'});
  return {name: 'a copy of as many bytes', run: () => to.copyFrom(from)};
}
