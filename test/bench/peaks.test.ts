/** The processor's peak by loops of our own, on each instruction set. */
import test from 'ava';
import {flopPeak, measurePeaks} from '../../bench/support/peaks.js';
import {native} from '../../lib/native.js';
import {synchronize} from '../../lib/tensor/index.js';
import {runModule} from '../support/module.js';

interface Found {
  readonly set: string;
  readonly multiplyAdds: Readonly<Record<string, readonly string[]>>;
  readonly rates: readonly number[];
}

const code = `
  import {native} from 'lib/native.js';
  import {synchronize} from 'lib/tensor/index.js';
  const dtypes = ['float32', 'float16', 'bfloat16'];
  const multiplyAdds = Object.fromEntries(dtypes.map((dtype) => [dtype, native.multiplyAdds(dtype)]));
  const rates = [];
  for (const name of multiplyAdds.bfloat16) {
    const start = performance.now();
    const flops = native.runPeakLoops(name);
    await synchronize('cpu');
    rates.push(flops / (performance.now() - start));
  }
  console.log(JSON.stringify({set: native.cpuInfo().instructionSet, multiplyAdds, rates}));`;

for (const set of ['baseline', 'avx2', 'avx512', 'amx'])
  test(`${set} has a loop for each of its multiply-adds, and all of them run`, async (t) => {
    const {printed} = await runModule(code, {env: {CROSSMAP_ISA: set}});
    const {set: used, multiplyAdds, rates} = JSON.parse(printed) as Found;
    const singles = ['float32 multiply-adds'];
    t.deepEqual(multiplyAdds['float32'], singles);
    t.deepEqual(multiplyAdds['float16'], singles);
    // Lesser sets stand in for those that this processor lacks.
    const special = used === 'avx512' || used === 'amx' ? ['VDPBF16PS', 'TDPBF16PS'] : [];
    const found = multiplyAdds['bfloat16'] ?? [];
    t.deepEqual(found[0], singles[0]);
    t.true(found.slice(1).every((name) => special.includes(name)));
    t.is(found.includes('TDPBF16PS'), used === 'amx');
    t.is(rates.length, found.length);
    t.true(rates.every((rate) => Number.isFinite(rate) && rate > 0));
  });

test('more threads are given more loops', async (t) => {
  const flops = (threads: number): number => {
    native.setThreads(threads);
    return native.runPeakLoops('float32 multiply-adds');
  };
  const {threads} = native.cpuInfo();
  t.is(flops(3), 3 * flops(1));
  native.setThreads(threads);
  await synchronize('cpu');
});

test('the peaks of a dtype say what reached them', async (t) => {
  const {flopsPerSecond = 0, flopsBy = '', bytesPerSecond = 0} = await measurePeaks('float32', 1e-6);
  t.is(flopsBy, 'a loop of float32 multiply-adds');
  t.true(Number.isFinite(flopsPerSecond) && flopsPerSecond > 0);
  t.true(Number.isFinite(bytesPerSecond) && bytesPerSecond > 0);
  const {flopsBy: fastest} = await flopPeak('bfloat16', 1e-6);
  t.true(native.multiplyAdds('bfloat16').some((name) => fastest === `a loop of ${name}`));
});

test('whole numbers have no peak', (t) => {
  t.throws(() => native.multiplyAdds('int32'), {
    code: 'ERR_DTYPE',
    message: 'peak: dtype must be float32, bfloat16 or float16; got int32',
  });
});

test('a multiply-add that is none, and one that this process lacks', async (t) => {
  t.throws(() => native.runPeakLoops('FMA4'), {
    code: 'ERR_ARGUMENT',
    message: "peak: multiply-add must be one of float32 multiply-adds, VDPBF16PS, TDPBF16PS; got 'FMA4'",
  });
  const {printed} = await runModule(
    `import {native} from 'lib/native.js';
     try { native.runPeakLoops('VDPBF16PS'); } catch ({code, message}) { console.log(code, message); }`,
    {env: {CROSSMAP_ISA: 'avx2'}},
  );
  t.is(printed, 'ERR_ARGUMENT peak: this process has no VDPBF16PS');
});
