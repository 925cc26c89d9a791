/** Occupancy beside figures of NVIDIA's cuda_occupancy.h (toolkit 13.0), whose code it does not share. */
import test from 'ava';
import {loadScript} from './support.js';

interface Architecture {
  readonly name: string;
}

interface Launch {
  readonly threads: number;
  readonly registers: number;
  readonly sharedBytes: number;
}

const {architectures} = await loadScript<{architectures: readonly Architecture[]}>(
  'scripts/cuda/architectures.mjs',
);
const {occupancyOf} = await loadScript<{
  occupancyOf: (
    launch: Launch,
    architecture: Architecture | undefined,
  ) => {blocks: number; occupancy: number; limit: string};
}>('scripts/cuda/occupancy.mjs');

const blocksOn = (launch: Launch): number[] =>
  architectures.map((architecture) => occupancyOf(launch, architecture).blocks);

// Blocks on sm_80, 86, 89, 90, 100 and 120.
for (const [threads, registers, sharedBytes, blocks] of [
  [32, 16, 0, [32, 16, 24, 32, 32, 24]],
  [96, 40, 1024, [16, 16, 16, 16, 16, 16]],
  [128, 32, 0, [16, 12, 12, 16, 16, 12]],
  [128, 168, 16384, [3, 3, 3, 3, 3, 3]],
  [128, 255, 81920, [2, 1, 1, 2, 2, 1]],
  [256, 40, 0, [6, 6, 6, 6, 6, 6]],
  [256, 64, 40000, [4, 2, 2, 4, 4, 2]],
  [256, 96, 49152, [2, 2, 2, 2, 2, 2]],
  [384, 168, 100000, [1, 1, 1, 1, 1, 1]],
  [384, 40, 16384, [4, 4, 4, 4, 4, 4]],
  [512, 128, 0, [1, 1, 1, 1, 1, 1]],
  [512, 168, 0, [0, 0, 0, 0, 0, 0]],
  [1024, 32, 0, [2, 1, 1, 2, 2, 1]],
  [1024, 64, 81920, [1, 1, 1, 1, 1, 1]],
  [1024, 96, 0, [0, 0, 0, 0, 0, 0]],
  [128, 128, 166912, [1, 0, 0, 1, 1, 0]],
] as const)
  test(`${threads} threads with ${registers} registers and ${sharedBytes} bytes: ${blocks.join(', ')} blocks`, (t) => {
    t.deepEqual(blocksOn({threads, registers, sharedBytes}), [...blocks]);
  });

test('occupancy is the share of resident warps, with what limits it', (t) => {
  const [sm80] = architectures;
  t.deepEqual(occupancyOf({threads: 256, registers: 128, sharedBytes: 0}, sm80), {
    blocks: 2,
    occupancy: 0.25,
    limit: 'registers',
  });
  t.is(occupancyOf({threads: 1024, registers: 255, sharedBytes: 0}, sm80).limit, 'registers');
  t.is(occupancyOf({threads: 128, registers: 32, sharedBytes: 100_000}, sm80).limit, 'shared');
  t.is(occupancyOf({threads: 32, registers: 16, sharedBytes: 0}, sm80).limit, 'blocks');
  t.is(occupancyOf({threads: 1024, registers: 16, sharedBytes: 0}, sm80).limit, 'warps');
});
