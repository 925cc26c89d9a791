import test from 'ava';
import {findings, loadScript, type Check} from './support.js';

const {checkNames, checkOps, checkSizes, checkSources} =
  await loadScript<Record<'checkNames' | 'checkOps' | 'checkSizes' | 'checkSources', Check>>(
    'scripts/lint/shape.mjs',
  );

test('a file over 400 lines, or a kernel over 600, is a warning', (t) => {
  const lines = (n: number): string => 'x\n'.repeat(n);
  const found = checkSizes(
    new Map([
      ['lib/a.ts', lines(400)],
      ['lib/b.ts', lines(401)],
      ['native/ops/c/c-cuda.cu', lines(600)],
      ['native/ops/d/d-cuda.cu', lines(601)],
    ]),
  );
  t.deepEqual(
    found.map(({file, level}) => [file, level]),
    [
      ['lib/b.ts', 'warning'],
      ['native/ops/d/d-cuda.cu', 'warning'],
    ],
  );
});

test('names are kebab-case, folders too', (t) => {
  const files = {'lib/data/token-shards.ts': '', 'lib/data/tokenShards.ts': '', 'test/Ops/a.test.ts': ''};
  t.deepEqual(findings(checkNames, files), [
    'lib/data/tokenShards.ts:1 tokenShards.ts is not kebab-case',
    'test/Ops/a.test.ts:1 Ops is not kebab-case',
  ]);
});

test('an op has its four files', (t) => {
  const native = {'native/ops/swiglu/swiglu.h': '#pragma once\n'};
  const rest = {'lib/ops/swiglu.ts': '', 'test/ops/swiglu.test.ts': '', 'bench/ops/swiglu.ts': ''};
  t.deepEqual(findings(checkOps, {...native, ...rest}), []);
  t.deepEqual(findings(checkOps, {...native, 'lib/ops/swiglu.ts': ''}), [
    'native/ops/swiglu/swiglu.h:1 the op has no test/ops/swiglu.test.ts',
    'native/ops/swiglu/swiglu.h:1 the op has no bench/ops/swiglu.ts',
  ]);
});

test('native/sources.json lists every source once and nothing else', (t) => {
  const files = {
    'native/sources.json': '{\n"runtime": ["runtime/a.cc", "runtime/a.cc"],\n"ops": ["ops/gone.cc"]\n}',
    'native/runtime/a.cc': '',
    'native/runtime/b.cc': '',
  };
  t.deepEqual(findings(checkSources, files), [
    'native/sources.json:3 native/ops/gone.cc does not exist',
    'native/sources.json:2 native/runtime/a.cc is listed twice',
    'native/runtime/b.cc:1 not in native/sources.json',
  ]);
});

test('kernels of CUDA are all listed, in the list "cuda" and in order', (t) => {
  const files = {
    'native/sources.json':
      '{\n"host": ["native/ops/a/a.cc",\n"native/ops/c/c-cuda.cu"],\n"cuda": ["native/ops/b/b-cuda.cu",\n"native/ops/a/a-cuda.cu",\n"native/ops/b/b.cc"]\n}',
    'native/ops/a/a.cc': '',
    'native/ops/a/a-cuda.cu': '',
    'native/ops/b/b.cc': '',
    'native/ops/b/b-cuda.cu': '',
    'native/ops/c/c-cuda.cu': '',
    'native/ops/d/d-cuda.cu': '',
  };
  t.deepEqual(findings(checkSources, files), [
    'native/sources.json:5 native/ops/a/a-cuda.cu stands out of order in the list cuda',
    'native/sources.json:3 native/ops/c/c-cuda.cu: files .cu are the list cuda, and no others',
    'native/sources.json:6 native/ops/b/b.cc: files .cu are the list cuda, and no others',
    'native/ops/d/d-cuda.cu:1 not in native/sources.json',
  ]);
});
