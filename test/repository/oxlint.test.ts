/** The configuration of oxlint, on files made to break it. */
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {root} from './support.js';

/** The rules that find something, with file and line. */
function rules(t: ExecutionContext, files: Record<string, string>): string[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crossmap-oxlint-'));
  t.teardown(() => fs.rmSync(folder, {recursive: true}));
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
    fs.copyFileSync(path.join(root, file), path.join(folder, file));
  }
  fs.symlinkSync(fs.realpathSync(path.join(root, 'node_modules')), path.join(folder, 'node_modules'));
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), {recursive: true});
    fs.writeFileSync(path.join(folder, file), text);
  }
  const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint');
  const {stdout} = spawnSync(process.execPath, [oxlint, '--format=unix'], {cwd: folder, encoding: 'utf8'});
  return [...stdout.matchAll(/^(\S+?:\d+):\d+: .*\((\S+)\)\]$/gm)]
    .map(([, place, rule]) => `${place} ${rule}`)
    .sort();
}

test('import cycles are refused', (t) => {
  const files = {
    'lib/a.ts': `import {b} from './b.js';\nexport const a = (): number => b();\n`,
    'lib/b.ts': `import {a} from './a.js';\nexport const b = (): number => a();\n`,
  };
  t.deepEqual(rules(t, files), ['lib/a.ts:1 no-cycle', 'lib/b.ts:1 no-cycle']);
});

test('any, a promise that nobody awaits and a narrowing assertion are refused in lib', (t) => {
  const text = [
    'export const a = (value: any): number => value.length;',
    'export async function b(): Promise<void> {}',
    'export function c(): void {',
    '  b();',
    '}',
    'export const d = (value: unknown): string => value as string;',
  ].join('\n');
  t.deepEqual(rules(t, {'lib/a.ts': text}), [
    'lib/a.ts:1 no-explicit-any',
    'lib/a.ts:4 no-floating-promises',
    'lib/a.ts:6 no-unsafe-type-assertion',
  ]);
});

test('the non-null assertion is refused in lib and allowed in tests', (t) => {
  const text = 'export const first = (list: readonly number[]): number => list[0]!;\n';
  t.deepEqual(rules(t, {'lib/a.ts': text, 'test/a.test.ts': text}), ['lib/a.ts:1 no-non-null-assertion']);
});
