/** Peers in Node: how they answer, and what is said of those that are not there. */
import path from 'node:path';
import test from 'ava';
import {runDuel} from '../../bench/duels/duel.js';
import {startPeer, startPeers, type Peer, type PeerProgram} from '../../bench/duels/peer.js';
import {probeOf} from '../../bench/duels/probe.js';
import {jax, onnxruntime, tfjs} from '../../bench/duels/programs.js';
import type {WorkCase} from '../../bench/duels/work-case.js';
import {isInstalled, loadInstalled} from '../../bench/peers/installed.js';
import {named, rotaryTables, startWeights} from '../../bench/peers/llama.js';
import {createDecoder} from '../../lib/nn/index.js';

const options = {device: 'cpu', threads: 1, limitSeconds: 60} as const;
const product: WorkCase = {kind: 'matmul', pass: 'forward', m: 3, n: 2, k: 2, dtype: 'float32'};
const step = {
  kind: 'trainingStep',
  pass: 'step',
  tokens: 16,
  segment: 8,
  layers: 2,
  features: 8,
  heads: 2,
  hiddenFeatures: 12,
  vocab: 32,
  dtype: 'float32',
} as const;

const fake: PeerProgram = {
  name: 'fake',
  commands: ({threads}) => [
    [
      process.execPath,
      '--expose-gc',
      path.join(import.meta.dirname, 'fake-peer.js'),
      '--threads',
      String(threads),
    ],
  ],
  install: () => 'nothing gets it',
  keepsMemory: true,
};

async function running(program: PeerProgram): Promise<Peer> {
  const peer = await startPeer(program, options);
  if ('facts' in peer) return peer;
  throw new Error(peer.absent);
}

test('a peer in Node answers as the one in Python does', async (t) => {
  const peer = await running(fake);
  t.teardown(() => peer.end());
  t.deepEqual(peer.facts as unknown, {name: 'fake', version: '1.2', device: 'cpu', threads: 1});
  t.deepEqual(await peer.variants(product), ['plain', 'once', 'broken']);
  t.deepEqual(await peer.variants(step), []);
  t.deepEqual(await peer.check(product, 'plain'), {y: probeOf(Float32Array.of(3, 4))});
  t.true((await peer.time(product, 'plain', 1e-6)) > 0);
  t.true((await peer.extraBytes(product, 'plain')) >= 0);
});

test('what goes wrong in a case is its answer, and the next question is answered', async (t) => {
  const peer = await running(fake);
  t.teardown(() => peer.end());
  await t.throwsAsync(peer.time(product, 'broken', 1), {message: 'no such kernel'});
  await t.throwsAsync(peer.time(product, 'unknown', 1), {message: 'unknown is no variant of matmul here'});
  t.true((await peer.time(product, 'plain', 1e-6)) > 0);
});

test('memory of a peer that keeps it is measured in a process that has not run', async (t) => {
  const peer = await running(fake);
  t.teardown(() => peer.end());
  await peer.check(product, 'once');
  t.true((await peer.extraBytes(product, 'once')) >= 0);
  await t.throwsAsync(peer.time(product, 'once', 1), {message: 'it ran before'});
});

test('of a peer that is not there is said why, and how to get it', async (t) => {
  const {running: started, facts} = await startPeers([fake, {...fake, name: 'narrow', mostThreads: 1}], {
    ...options,
    threads: 3,
  });
  t.deepEqual(started, []);
  t.deepEqual(facts as unknown, [
    {name: 'fake', absent: 'it is not installed; nothing gets it'},
    {name: 'narrow', absent: 'on 3 threads: it can use 1'},
  ]);
});

test('of several ways to start a peer the first that answers counts, else the last says why', async (t) => {
  const [command = []] = fake.commands(options);
  const absent = [process.execPath, '-e', 'process.exit(2)'];
  const second = await startPeer({...fake, commands: () => [absent, command]}, options);
  t.true('facts' in second);
  if ('facts' in second) second.end();
  t.deepEqual((await startPeer({...fake, commands: () => [absent, absent]}, options)) as unknown, {
    name: 'fake',
    absent: `${process.execPath}: it ended with 2: ; nothing gets it`,
  });
});

test('a package that is not installed is named', (t) => {
  t.throws(() => loadInstalled('no-such-package'), {message: 'no-such-package is not installed'});
});

test('the weights of the peers have the shapes and the order of our decoder', (t) => {
  const decoder = createDecoder(
    {
      layers: 2,
      features: 8,
      heads: 2,
      kvHeads: 2,
      headDim: 4,
      hiddenFeatures: 12,
      context: 8,
      ropeTheta: 10_000,
      normEps: 1e-5,
      tiedHead: false,
      vocabSize: 32,
    },
    {seed: 1, dtype: 'float32', device: 'cpu'},
  );
  const weights = startWeights(step);
  t.deepEqual(
    weights.map(({shape, decay}) => ({shape, decays: decay > 0})),
    decoder.parameters.map(({tensor, decays}) => ({shape: tensor.shape, decays})),
  );
  const {embedding, blocks, norm, head} = named(decoder.parameters.map(({name}) => name));
  t.regex(embedding, /embed/);
  t.deepEqual(
    blocks.map(({q, down}) => [/q_proj/.test(q), /down_proj/.test(down)]),
    [
      [true, true],
      [true, true],
    ],
  );
  t.regex(norm, /norm/);
  t.regex(head, /head/);
});

test('rotary tables: the first features turn by one radian a token', (t) => {
  const {cosines, sines} = rotaryTables(step);
  t.is(cosines.length, 8 * 2);
  t.is(cosines[0], 1);
  t.is(sines[2], Math.fround(Math.sin(1)));
  t.is(sines[3], Math.fround(Math.sin(0.01)));
});

const attention: WorkCase = {
  kind: 'attention',
  pass: 'forward',
  tokens: 33,
  heads: 2,
  headDim: 16,
  dtype: 'float32',
};

/** Each with its package, the work that it is asked for, and what it cannot do of it. */
const libraries = [
  {program: onnxruntime, name: 'onnxruntime-node', cases: [product, attention], cannot: {}},
  {
    program: tfjs,
    name: '@tensorflow/tfjs',
    cases: [product, step],
    cannot: {'TensorFlow.js, wasm': /UnsortedSegmentSum/},
  },
  {program: jax, name: '@jax-js/jax', cases: [product, step], cannot: {}},
] as const;

for (const {program, name, cases, cannot} of libraries) {
  const withPackage = isInstalled(name) ? test : test.skip;
  withPackage(`${name} has the results that we have`, async (t) => {
    const peer = await running(program);
    t.teardown(() => peer.end());
    for (const work of cases) {
      const {sides} = await runDuel(work, [peer], {...options, rounds: 1, sampleSeconds: 1e-6});
      t.true(sides.length > 1);
      for (const {name: side, error} of sides) {
        const known =
          work.kind === 'trainingStep' ? Object.entries(cannot).find(([key]) => key === side) : undefined;
        if (known === undefined) t.is(error, undefined, side);
        else t.regex(error ?? '', known[1]);
      }
    }
  });
}
