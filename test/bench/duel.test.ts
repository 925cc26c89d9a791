/** Duels: who takes part, what is compared before it is timed, and what becomes of a side that fails. */
import path from 'node:path';
import test from 'ava';
import {highest, runDuel} from '../../bench/duels/duel.js';
import {unfairness, type Peer} from '../../bench/duels/peer.js';
import type {Probes} from '../../bench/duels/probe.js';
import {startServer} from '../../bench/duels/server.js';
import {titleOf, type WorkCase} from '../../bench/duels/work-case.js';

const work: WorkCase = {kind: 'matmul', pass: 'forward', m: 2, n: 2, k: 2, dtype: 'float32'};
const options = {device: 'cpu', threads: 1, rounds: 2, sampleSeconds: 1e-6, limitSeconds: 60};

/** A peer without a program. Its results are those of ours unless it is told other ones. */
function peerOf(
  name: string,
  {check, time}: {check: () => Promise<Probes>; time?: () => Promise<number>},
): Peer {
  return {
    facts: {name},
    variants: () => Promise.resolve(['plain']),
    check,
    extraBytes: () => Promise.resolve(64),
    time: time ?? (() => Promise.resolve(2)),
    end() {},
  };
}

/** What our side answers by itself. */
async function ourProbes(): Promise<Probes> {
  const worker = path.resolve(import.meta.dirname, '../../bench/duels/worker.js');
  const server = startServer([process.execPath, worker, '--case', JSON.stringify(work)], process.env);
  try {
    return (await server.ask({ask: 'check'}, 60))['probes'] as Probes;
  } finally {
    server.end();
  }
}

test('sides with equal results are timed in turns, others are not', async (t) => {
  const ours = await ourProbes();
  const [norm = 0, product = 0] = ours['y'] ?? [];
  const times = [3, 5];
  const comparison = await runDuel(
    work,
    [
      peerOf('equal', {
        check: () => Promise.resolve(ours),
        time: () => Promise.resolve(times.shift() ?? NaN),
      }),
      peerOf('wrong', {check: () => Promise.resolve({y: [1.01 * norm, product]})}),
      peerOf('broken', {check: () => Promise.reject(new Error('no such product'))}),
    ],
    {...options, measuresPeaks: true},
  );
  const [crossmap, equal, wrong, broken] = comparison.sides;
  t.is(crossmap?.samples, 2);
  t.is(crossmap?.error, undefined);
  t.deepEqual(equal as unknown, {
    name: 'equal, plain',
    median: 4,
    lowerQuartile: 3.5,
    upperQuartile: 4.5,
    samples: 2,
    extraBytes: 64,
    difference: 0,
  });
  t.is(wrong?.median, undefined);
  t.is(wrong?.error, 'its results differ from ours by 0.010 of their norm: not timed');
  t.is(broken?.error, 'no such product');
  t.like(comparison, {threads: 1, flops: 16, bytes: 48, peaks: {flopsBy: 'a loop of float32 multiply-adds'}});
  t.true((comparison.peaks?.flopsPerSecond ?? 0) > 0);
  t.true((comparison.peaks?.bytesPerSecond ?? 0) > 0);
});

test('a peer that would hold more than is free is not tried', async (t) => {
  const large: WorkCase = {kind: 'contrastive', pass: 'both', pairs: 64, features: 8, dtype: 'float32'};
  const peer = {
    ...peerOf('large', {check: () => Promise.reject(new Error('it was tried'))}),
    variants: () => Promise.resolve(['materialised']),
  };
  const {sides} = await runDuel(large, [peer], {...options, rounds: 1, freeBytes: 65_535});
  t.is(sides[1]?.error, 'not run: it holds about 0.0 GB, and 0.0 GB are free');
});

test('a peer on the reference BLAS is unfair, and told how to be fair', (t) => {
  t.is(
    unfairness({name: 'PyTorch', blas: {name: 'reference', file: 'libblas.so.3'}}),
    'its matrix products run on the reference BLAS (libblas.so.3), ten times slower than its own: on Debian, apt-get install libopenblas0-pthread',
  );
  t.is(unfairness({name: 'PyTorch', blas: {name: 'OpenBLAS', file: 'libopenblas.so.0'}}), undefined);
  t.is(unfairness({name: 'PyTorch', blas: null}), undefined);
});

test('the peak is the highest of what was reached, with its name', (t) => {
  t.deepEqual(
    highest([
      {flopsPerSecond: 2, flopsBy: 'a'},
      {bytesPerSecond: 5},
      {flopsPerSecond: 3, flopsBy: 'b'},
      {bytesPerSecond: 4},
    ]),
    {flopsPerSecond: 3, flopsBy: 'b', bytesPerSecond: 5},
  );
  t.deepEqual(highest([]), {});
});

test('the title of a case has its sizes', (t) => {
  t.is(titleOf(work), 'matmul forward, m 2, n 2, k 2, float32');
});

const answering = (body: string): readonly string[] => [
  process.execPath,
  '-e',
  `require('readline').createInterface({input: process.stdin}).on('line', (line) => {${body}})`,
];

test('a server: answers, errors of its own, and its end', async (t) => {
  const server = startServer(
    answering(`const {ask} = JSON.parse(line);
      if (ask === 'leave') { console.error('out of memory'); process.exit(3); }
      console.log(ask === 'fail' ? '{"error": "no such case"}' : '{"seconds": 2}');`),
    process.env,
  );
  t.deepEqual(await server.ask({ask: 'time'}, 60), {seconds: 2});
  await t.throwsAsync(server.ask({ask: 'fail'}, 60), {message: 'no such case'});
  t.deepEqual(await server.ask({ask: 'time'}, 60), {seconds: 2});
  await t.throwsAsync(server.ask({ask: 'leave'}, 60), {message: 'it ended with 3: out of memory'});
  await t.throwsAsync(server.ask({ask: 'time'}, 60), {message: 'it ended with 3: out of memory'});
});

test('a server that does not answer in time is ended', async (t) => {
  const server = startServer(answering(''), process.env);
  await t.throwsAsync(server.ask({ask: 'time'}, 0.01), {message: 'no answer in 0.01 s'});
  await t.throwsAsync(server.ask({ask: 'time'}, 60), {message: 'no answer in 0.01 s'});
});

test('a program that is not there', async (t) => {
  const server = startServer(['/no/such/program'], process.env);
  await t.throwsAsync(server.ask({ask: 'hello'}, 60), {message: /ENOENT/});
});
