/** Products by cuBLASLt: what we call, against a stand-in for the library that checks the calls and multiplies on the processor. */
import {mkdirSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {compile, programFolder, runProgram} from '../support/native-program.js';

const folder = programFolder();
const libraryFolder = path.join(folder, 'libraries');
mkdirSync(libraryFolder);
const program = compile(path.join(folder, 'cublas-lt'), [
  'test/runtime/cublas-lt-program.cc',
  'native/runtime/cuda/cublas-lt.cc',
  'native/runtime/cuda/shared-library.cc',
  'native/runtime/error.cc',
]);
compile(
  path.join(libraryFolder, 'libcublasLt.so.13'),
  ['test/runtime/fake-cublas-lt.cc'],
  ['-shared', '-fPIC', '-Wl,-soname,libcublasLt.so.13'],
);

test('the library is described by its name and version', (t) => {
  const [description] = runProgram(program, {libraryFolder});
  t.is(description, 'libcublasLt.so.13, version 13.0.2');
});

test('products of every dtype and transposition are those of three loops, at any alignment', (t) => {
  const products = runProgram(program, {libraryFolder}).slice(1, -2);
  t.is(products.length, 17);
  for (const each of products) t.regex(each, /^\w+ \w+ a'? b'? 0$/);
});

test('an empty product is left to others, and all objects of the library are given back', (t) => {
  t.deepEqual(runProgram(program, {libraryFolder}).slice(-2), ['empty 0', 'living 0']);
});

test('where the library has no algorithm nothing is computed', (t) => {
  const products = runProgram(program, {libraryFolder, env: {FAKE_NO_ALGORITHM: '1'}}).slice(1, -2);
  t.is(products.length, 17);
  for (const each of products) t.regex(each, /not computed$/);
});
