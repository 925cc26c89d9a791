import test from 'ava';
import {findings, loadScript, type Check} from './support.js';

const {checkDeadExports, checkDocComments} = await loadScript<{
  checkDeadExports: Check;
  checkDocComments: Check;
}>('scripts/lint/exports.mjs');

const manifest = {'package.json': '{"exports": {".": {"default": "./dist/lib/index.js"}}, "bin": {}}'};

test('an export that nothing imports and that is not public is dead', (t) => {
  const files = {
    ...manifest,
    'lib/index.ts': '',
    'lib/a.ts': 'const x = 1;\nexport function left(): void {}\n',
  };
  t.deepEqual(findings(checkDeadExports, files), [
    'lib/a.ts:2 left is exported, but nothing imports it and it is not public',
  ]);
});

for (const [how, files] of Object.entries({
  'imported by a test': {'test/a.test.ts': `import {left} from '../lib/a.js';`},
  'imported under another name': {'lib/b.ts': `import {type Other, left as right} from './a.js';`},
  'imported over several lines': {'lib/b.ts': `import {\n  left,\n} from './a.js';`},
  'taken whole': {'lib/b.ts': `import * as a from './a.js';`},
  'loaded at run time': {'lib/b.ts': `const a = await import('./a.js');`},
  'public by star': {'lib/index.ts': `export * from './a.js';`},
  'public by name': {'lib/index.ts': `export {left} from './a.js';`},
  'public under another name': {'lib/index.ts': `export {left as right} from './a.js';`},
  'public through two files': {
    'lib/index.ts': `export * from './b.js';`,
    'lib/b.ts': `export {left} from './a.js';`,
  },
}))
  test(`an export is alive when it is ${how}`, (t) => {
    const all = {...manifest, 'lib/index.ts': '', 'lib/a.ts': 'export function left(): void {}\n', ...files};
    t.deepEqual(findings(checkDeadExports, all), []);
  });

test('a name that another module exports too does not keep this one alive', (t) => {
  const files = {
    ...manifest,
    'lib/index.ts': `export {same} from './a.js';`,
    'lib/a.ts': 'export const same = 1;\n',
    'lib/b.ts': 'export const same = 2;\n',
  };
  t.deepEqual(findings(checkDeadExports, files), [
    'lib/b.ts:1 same is exported, but nothing imports it and it is not public',
  ]);
});

test('constants, classes, types and interfaces are exports too', (t) => {
  const text =
    'export const a = 1;\nexport class B {}\nexport type C = 1;\nexport interface D {}\nexport async function e() {}\n';
  t.is(findings(checkDeadExports, {...manifest, 'lib/a.ts': text}).length, 5);
});

test('a public export without a doc comment right above it is found', (t) => {
  const text =
    '/** The file. */\n\nexport const a = 1;\n\n/** Good. */\nexport const b = 2;\n\n/**\n * Good.\n */\nexport class C {}\n';
  t.deepEqual(
    findings(checkDocComments, {...manifest, 'lib/index.ts': `export * from './a.js';`, 'lib/a.ts': text}),
    ['lib/a.ts:3 a is public and has no doc comment right above it'],
  );
});

test('what only the inside uses needs no doc comment', (t) => {
  t.deepEqual(
    findings(checkDocComments, {...manifest, 'lib/index.ts': '', 'lib/a.ts': 'export const a = 1;\n'}),
    [],
  );
});

test('overloads need one doc comment, above the first', (t) => {
  const text =
    '/** Good. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\nexport function f(a: number) {}\n';
  t.deepEqual(findings(checkDocComments, {...manifest, 'lib/index.ts': text}), []);
});
