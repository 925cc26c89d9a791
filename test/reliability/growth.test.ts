import test from 'ava';
import {allowedGrowth, growthOf, type Sample} from './soak/growth.js';

const flat: Omit<Sample, 'step'> = {
  residentBytes: 2e8,
  heapBytes: 2e7,
  bufferBytes: 1e6,
  allocatedBytes: 1e5,
  nativeBytes: 1e6,
  files: 20,
  threads: 12,
};

const series = (at: (step: number) => Partial<Sample>): Sample[] =>
  Array.from({length: 50}, (_, i) => ({...flat, step: 250 + 15 * i, ...at(250 + 15 * i)}));

test('what stays where it is, and what jumps once, is flat', (t) => {
  const samples = series((step) => ({
    residentBytes: 2e8 + (step > 900 ? 1e8 : 0),
    heapBytes: 2e7 + (step % 4) * 5e5,
  }));
  t.true(growthOf(samples, 1000).every(({isFlat}) => isFlat));
});

for (const watched of [
  'residentBytes',
  'heapBytes',
  'bufferBytes',
  'allocatedBytes',
  'nativeBytes',
  'files',
  'threads',
] as const)
  test(`${watched} that grow by a little more than is allowed over the run are found`, (t) => {
    const perStep = (1.02 * allowedGrowth[watched]) / 1000;
    const growths = growthOf(
      series((step) => ({[watched]: flat[watched] + perStep * step})),
      1000,
    );
    t.deepEqual(
      growths.filter(({isFlat}) => !isFlat).map((each) => each.watched),
      [watched],
    );
  });
