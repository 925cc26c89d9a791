/** The CUDA device over a stand-in for the CUDA runtime, whose streams run beside the host: order, overlap, faults, failures. */
import path from 'node:path';
import test from 'ava';
import {compile, programFolder, runProgram} from '../support/native-program.js';

const cuda = 'native/runtime/cuda';
const program = compile(
  path.join(programFolder(), 'cuda-device'),
  [
    'test/runtime/cuda-device-program.cc',
    'test/runtime/fake-cuda/fake-cuda.cc',
    ...[
      'completions',
      'cublas-lt',
      'cuda-device',
      'cuda-graph',
      'device-memory',
      'event',
      'fault-slots',
      'shared-library',
    ].map((name) => `${cuda}/${name}.cc`),
    'native/runtime/caching-allocator.cc',
    'native/runtime/error.cc',
  ],
  ['-DCROSSMAP_CUDA', '-pthread', '-g', '-fsanitize=address,undefined', includeOf('test/runtime/fake-cuda')],
);

function includeOf(folder: string): string {
  return `-I${path.join(import.meta.dirname, '../../..', folder)}`;
}

const run = (name: string, env: Readonly<Record<string, string>> = {}): string[] =>
  runProgram(program, {args: [name], env}).map((line) => line.trimEnd());

test('a copy from the host overlaps the ops before it, and those after it see what it was given', (t) => {
  t.deepEqual(run('overlap'), ['copied while the op waits: 1', '2 3 4']);
});

test('a copy from the host takes no memory that an op can still read', (t) => {
  t.deepEqual(run('reuse'), [
    'other memory while an op waits: 1',
    'an op gets memory of its own pool: 1',
    'the first again once its ops are done: 1',
  ]);
});

test('memory that was released serves the next op at once, in order', (t) => {
  t.deepEqual(run('order'), ['the same memory: 1', '1 5']);
});

test('reading and synchronising do not wait, and complete in order', (t) => {
  t.deepEqual(run('completions'), [
    'returned before the op was done: 1',
    'copied 7.000000',
    'executed',
    'synchronized',
  ]);
});

test('of several faults the first is told, once, after however many launches', (t) => {
  t.deepEqual(run('faults'), [
    'ERR_INDEX embedding: id -3 at 5',
    'no fault',
    'ERR_INDEX last: id 7 at 2147483648',
    'ERR_INDEX kept: id 1 at 1',
    'no fault',
  ]);
});

test('a device that has failed names the op, and every later call says the same', (t) => {
  t.deepEqual(run('lost'), [
    'ERR_DEVICE cuda: the device has failed in adamw, or an op before it (CROSSMAP_SYNCHRONOUS=1 tells which): ' +
      'an illegal memory access was encountered; it cannot be used any more by this process',
    '1 1 1 1 1 1',
    'ended',
  ]);
});

test('a launch that is refused names its op and leaves the device as it was', (t) => {
  t.deepEqual(run('refused'), [
    'ERR_DEVICE cast: invalid configuration argument',
    'ERR_INTERNAL cast: a grid of 1 x 70000 x 1 blocks cannot be launched',
    'no fault',
  ]);
});

test('without memory what is cached goes back first, and the error says what there is', (t) => {
  t.deepEqual(run('memory'), [
    'ERR_OUT_OF_MEMORY cuda: 5000000 bytes could not be allocated beside 7340032 allocated and 0 cached ones; ' +
      "2659968 of the device's 10000000 bytes are free",
    'cached: 7340032 taken: 7340032',
    'cached: 0 taken: 9437184',
  ]);
});

test('nothing is called back once the device has ended', (t) => {
  t.deepEqual(run('stop'), ['called: 0']);
});

test('a large copy goes in parts and arrives whole', (t) => {
  t.deepEqual(run('large'), ['equal: 1']);
});

test('recorded ops run at each replay, on memory of their own, and nothing else can be done meanwhile', (t) => {
  t.deepEqual(run('graph'), [
    'ERR_ARGUMENT synchronize: not while ops are recorded',
    'ERR_ARGUMENT tensor: not while ops are recorded',
    'ERR_ARGUMENT capture: not while ops are recorded',
    'ERR_ARGUMENT capture: nothing is being recorded',
    'not executed: 1',
    'executed twice: 3 3',
    "its memory is nobody else's: 1 1",
    "then everybody's: 1",
  ]);
});

test('recorded ops tell their faults at each replay', (t) => {
  const fault = 'ERR_INDEX embedding: id at 3';
  t.deepEqual(run('graphFaults'), ['no fault', fault, 'no fault', fault, 'no fault']);
});
