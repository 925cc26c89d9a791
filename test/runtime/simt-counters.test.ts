/** The emulator's counters on kernels whose traffic can be counted by hand. */
import test from 'ava';
import {asFloats, runSimt} from '../support/simt-test.js';

function count(name: string) {
  const run = runSimt(name, {settings: 'profile=1,workers=2'});
  if (run.reports.length > 0) throw new Error(run.error);
  return run.counters[0]!;
}

test('a coalesced copy moves 4 sectors of 32 bytes for each access of a warp', (t) => {
  const {globalRequests, globalSectors, globalBytes} = count('count/coalesced-copy');
  t.is(globalRequests, 1024); // 512 warps read, and write
  t.is(globalSectors, 4096);
  t.is(globalBytes, 2 * 16384 * 4);
});

test('a store with stride 8 moves a sector for each lane', (t) => {
  t.is(count('count/strided-store')['globalSectors'], 512 * 4 + 512 * 32);
});

test('16-byte accesses move the same sectors in a quarter of the accesses', (t) => {
  const {globalRequests, globalSectors} = count('count/packed-copy');
  t.is(globalRequests, 256);
  t.is(globalSectors, 4096);
});

test('a transpose of 32 x 32 floats conflicts without padding, and does not with it', (t) => {
  t.is(count('count/transpose-unpadded')['sharedWavefronts'], 32 + 32 * 32);
  const padded = count('count/transpose-padded');
  t.is(padded['sharedWavefronts'], 64);
  t.is(padded['idealSharedWavefronts'], 64);
});

// 64 x 64 elements are written one by one: 128 accesses of a warp, each of 64 bytes. Then 16 ldmatrix of 4 matrices.
test('ldmatrix reads rows of 128 bytes 8 at a time without conflict if they are swizzled only', (t) => {
  const swizzled = count('count/tile-swizzled');
  t.is(swizzled['sharedWavefronts'], 128 + 16 * 4);
  t.is(swizzled['idealSharedWavefronts'], 128 + 16 * 4);
  const plain = count('count/tile-plain');
  t.is(plain['sharedWavefronts'], 128 + 16 * 4 * 8);
  t.is(plain['matrixLoads'], 16);
});

test('products of tensor cores are counted by warp and type, barriers by block', (t) => {
  const counters = count('count/products');
  t.is(counters['bfloat16Products'], 4 * 3);
  t.is(counters['float16Products'], 4 * 2);
  t.is(counters['tf32Products'], 4);
  t.is(counters['barriers'], 2);
  t.is(counters['launches'], 1);
  t.is(counters['threads'], 128);
});

test('fused multiply-adds and special functions are counted by thread', (t) => {
  const counters = count('count/arithmetic');
  t.is(counters['fmas'], 2 * 96);
  // tanh is a power and a reciprocal.
  t.is(counters['specialFunctions'], 7 * 96 + 48);
});

test('functions that are counted have the values of the host', (t) => {
  const values = asFloats(runSimt('count/arithmetic').output);
  for (const [i, y] of values.entries()) {
    const x = 5 * i + 1;
    const sum = x + Math.exp(-x) + 2 * 2 ** -x + Math.sqrt(x) + 1 / Math.sqrt(x) + Math.tanh(x);
    const expected = Math.log(sum + (i % 2 === 0 ? 0.5 : 0));
    // A few roundings of float32, relative to numbers up to 7.
    t.true(Math.abs(y - expected) < 2e-6, `${i}: ${y} instead of ${expected}`);
  }
});
