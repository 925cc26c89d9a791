import test from 'ava';
import {findings, loadScript, type Check} from './support.js';

const {checkLayers} = await loadScript<{checkLayers: Check}>('scripts/lint/layers.mjs');

const manifest = {'package.json': '{"dependencies": {"yaml": "1"}, "devDependencies": {"ava": "1"}}'};

test('a layer may import itself, what its row names, Node and dependencies', (t) => {
  const text = [
    `import fs from 'node:fs';`,
    `import {parse} from 'yaml';`,
    `import {fail} from '../errors.js';`,
    `import {shards} from './shards.js';`,
  ].join('\n');
  t.deepEqual(findings(checkLayers, {...manifest, 'lib/data/corpus.ts': text}), []);
});

test('data that imports a tensor is found, with file and line', (t) => {
  const text = `import fs from 'node:fs';\nimport type {Tensor} from '../tensor/index.js';\n`;
  t.deepEqual(findings(checkLayers, {...manifest, 'lib/data/corpus.ts': text}), [
    'lib/data/corpus.ts:2 data must not know tensor; it may know errors, native, config, formats/atomic, formats/lock',
  ]);
});

test('an import over several lines, a re-export and a dynamic import count', (t) => {
  const text = [
    `import {`,
    `  a,`,
    `  b,`,
    `} from '../train/a.js';`,
    `export * from '../cli/b.js';`,
    `export const later = () => import('../report/c.js');`,
  ].join('\n');
  t.deepEqual(
    findings(checkLayers, {...manifest, 'lib/tensor/x.ts': text}).map((found) => found.replace(/;.*/, '')),
    [
      'lib/tensor/x.ts:1 tensor must not know train',
      'lib/tensor/x.ts:5 tensor must not know cli',
      'lib/tensor/x.ts:6 tensor must not know report',
    ],
  );
});

test('one file of a folder may be allowed without the rest', (t) => {
  const text = (file: string): string => `import type {Batch} from '../data/${file}.js';`;
  t.deepEqual(findings(checkLayers, {...manifest, 'lib/objectives/a.ts': text('batch')}), []);
  t.deepEqual(findings(checkLayers, {...manifest, 'lib/objectives/a.ts': text('packer')}).length, 1);
});

test('a development dependency in lib is found', (t) => {
  t.deepEqual(findings(checkLayers, {...manifest, 'lib/data/a.ts': `import test from 'ava';`}), [
    'lib/data/a.ts:1 ava is not a dependency in package.json',
  ]);
});

test('a folder without a row is found', (t) => {
  t.deepEqual(findings(checkLayers, {...manifest, 'lib/helpers/a.ts': ''}), [
    'lib/helpers/a.ts:1 lib/helpers has no row in scripts/lint/layers.json',
  ]);
});

test('the native runtime knows no op', (t) => {
  t.deepEqual(findings(checkLayers, {'native/runtime/tensor.cc': '#include "ops/matmul/matmul.h"\n'}), [
    'native/runtime/tensor.cc:1 runtime must not know ops; it may know runtime',
  ]);
});

test('an op includes of another op its contract and nothing else', (t) => {
  const include = (file: string): Record<string, string> => ({
    'native/ops/attention/attention.cc': `#include "runtime/tensor.h"\n#include "ops/${file}"\n`,
  });
  t.deepEqual(findings(checkLayers, include('attention/attention-plan.h')), []);
  t.deepEqual(findings(checkLayers, include('matmul/matmul.h')), []);
  t.deepEqual(findings(checkLayers, include('matmul/matmul-cpu.h')), [
    'native/ops/attention/attention.cc:2 outside ops/matmul only its contract matmul.h may be included',
  ]);
});

test('the table of plans includes those of all ops, and nothing else of them', (t) => {
  const include = (file: string): Record<string, string> => ({
    'native/addon/plan-table.cc': `#include "ops/${file}"\n`,
  });
  t.deepEqual(findings(checkLayers, include('reduce/reduce-plan.h')), []);
  t.is(findings(checkLayers, include('reduce/reduce-cpu.h')).length, 1);
});

test('only the addon sees Node-API', (t) => {
  t.deepEqual(findings(checkLayers, {'native/addon/addon.cc': '#include <napi.h>\n'}), []);
  t.deepEqual(findings(checkLayers, {'native/runtime/tensor.cc': '#include <napi.h>\n'}), [
    'native/runtime/tensor.cc:1 only native/addon may see napi.h',
  ]);
});
