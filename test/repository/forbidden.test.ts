import test from 'ava';
import {loadScript, type Check} from './support.js';

const {checkForbidden} = await loadScript<{checkForbidden: Check}>('scripts/lint/forbidden.mjs');

const rules = (file: string, text: string): string[] =>
  checkForbidden(new Map([[file, text]])).map(({rule, line}) => `${rule}:${line}`);

// Written in parts, so that this file does not contain what the lint looks for.
const home = ['', 'home', 'someone', 'models'].join('/');
const registry = ['registry', 'npmjs', 'org'].join('.');
const resolved = ['resol', 'ved'].join('');
const header = '#pragma once\n';

for (const [file, text, expected] of [
  ['docs/a.md', `Open\n${home} now`, ['machine-path:2']],
  ['docs/a.md', `see https://example.org${home}`, []],
  ['package-lock.json', `{"resolved": "git+ssh://${registry}/a"}`, ['registry-host:1']],
  ['package-lock.json', `{"${resolved}": "https://example.org/a"}`, ['registry-host:1']],
  ['package-lock.json', '{"version": "1.0.0", "integrity": "sha512-x"}', []],
  ['lib/a.ts', '// TODO: later', ['todo:1']],
  ['lib/a.ts', '// TODO(#12): later', []],
  ['lib/a.ts', 'const a = 1;\nexport default a;', ['default-export:2']],
  ['lib/a.ts', '// @ts-ignore', ['ts-comment:1']],
  ['lib/a.ts', '// oxlint-disable-next-line no-shadow', ['lint-comment:1']],
  ['lib/a.ts', '// oxlint-disable-next-line no-shadow -- names from the paper', []],
  ['lib/a.ts', 'export class A extends B {}', ['inheritance:1']],
  ['lib/a.ts', 'export class A extends Error {}', []],
  ['lib/a.ts', 'console.log(1);', ['process:1']],
  ['lib/cli/a.ts', 'console.log(1);', []],
  ['lib/ops/a.ts', `const require = createRequire(import.meta.url);`, ['addon:1']],
  ['lib/native.ts', `const require = createRequire(import.meta.url);`, []],
  ['native/ops/a/a-cuda.cu', 'f<<<1, 2>>>();', ['launch:1']],
  ['native/ops/a/a-cuda.cu', '// not f<<<1, 2>>>()', []],
  ['native/ops/a/a-cuda.cu', 'extern __shared__ float s[];', ['shared-memory:1']],
  ['native/ops/a/a-cuda.cu', '\n__shared__ float s[32];', ['shared-memory:2']],
  ['native/runtime/cuda/device/block.cuh', `${header}__shared__ float s[32];`, ['shared-memory:2']],
  ['native/runtime/cuda/device/shared.cuh', `${header}extern __shared__ char s[];`, []],
  ['native/ops/a/a-cuda.cu', '#ifdef __CUDA_ARCH__\n#endif', ['compiler-macro:1']],
  ['native/ops/a/a-cuda.cuh', `${header}#if defined(__CUDACC__)\n#endif`, ['compiler-macro:2']],
  ['native/ops/a/a.cc', '#ifdef CROSSMAP_SIMT\n#endif', ['compiler-macro:1']],
  ['native/addon/devices.cc', '#ifdef CROSSMAP_SIMT\n#endif', []],
  ['native/runtime/cuda/launch.h', `${header}#ifdef __CUDACC__\n#endif`, []],
  ['native/ops/a/a-cuda.cu', '#include <cuda_bf16.h>', ['cuda-header:1']],
  ['native/ops/a/a-cuda.cu', '#include <cub/cub.cuh>', ['cuda-header:1']],
  ['native/ops/a/a.cc', '#include <cmath>\n#include <cuda_runtime.h>', ['cuda-header:2']],
  ['native/ops/a/a.cc', '#include <cstdint>\n#include "ops/a/a-cuda.h"', []],
  ['native/runtime/cuda/language.h', `${header}#include <cuda_runtime.h>`, []],
  ['native/ops/a/a.cc', '#include "runtime/cuda/launch.h"', ['cuda-in-host:1']],
  ['native/ops/a/a.cc', '// #include "runtime/cuda/launch.h"', []],
  ['native/ops/a/a-cuda.h', `${header}#include "runtime/cuda/stream.h"`, ['cuda-in-host:2']],
  ['native/ops/a/a-cuda.cu', '#include "runtime/cuda/launch.h"', []],
  ['native/ops/a/a-cuda.cu', 'void f() {\n  asm("nop;");\n}', ['inline-asm:2']],
  ['native/runtime/cuda/launch.h', `${header}asm volatile("nop;");`, ['inline-asm:2']],
  ['native/ops/a/a.cc', 'void f() {\n  asm volatile("nop");\n}', ['inline-asm:2']],
  ['native/runtime/cuda/device/a.cuh', `${header}asm volatile("nop");`, []],
  ['native/runtime/a.cc', 'auto* p = new Tensor();', ['new-delete:1']],
  ['native/runtime/a.cc', 'delete p;', ['new-delete:1']],
  ['native/runtime/a.cc', 'Tensor(const Tensor&) = delete;\n// a new delete rule', []],
  ['native/runtime/a.cc', 'fail("a new delete p");', []],
  ['native/runtime/a.cc', 'static int count = 0;', ['mutable-static:1']],
  ['native/runtime/a.cc', '{\n  static std::mutex mutex;\n}', ['mutable-static:2']],
  ['native/runtime/a.cc', 'thread_local Pool* pool;', ['mutable-static:1']],
  ['native/runtime/a.cc', 'static const int a = 1;\nstatic constexpr int b = 2;\nstatic int f(int x);', []],
  ['native/runtime/a.h', 'int f();', ['pragma-once:1']],
  ['native/runtime/a.h', `// What it is.\n${header}int f();`, []],
] as const)
  test(`${file} with ${JSON.stringify(text)}: ${expected.join(' and ') || 'nothing forbidden'}`, (t) => {
    t.deepEqual(rules(file, text), [...expected]);
  });

test('a finding says what stands there and what to do instead', (t) => {
  const [found] = checkForbidden(new Map([['native/runtime/a.cc', 'auto* p = new Tensor();']]));
  t.is(found?.message, 'new T: values and RAII: std::make_unique, std::vector, std::shared_ptr');
});
