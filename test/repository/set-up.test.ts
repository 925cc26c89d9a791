/** The set-up in a small project of its own: scripts and dependencies of this one, other sources. */
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {root} from './support.js';

const run = promisify(execFile);

const cmake = `cmake_minimum_required(VERSION 3.20)
project(tiny C)
add_library(crossmap-cpu MODULE native/a.c)
set_target_properties(crossmap-cpu PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(crossmap-cpu PRIVATE \${CMAKE_JS_INC})
`;
const source = `#include <node_api.h>
NAPI_MODULE_INIT() {
  napi_value number;
  napi_create_int32(env, 41, &number);
  return number;
}
`;

interface Project {
  readonly folder: string;
  write: (file: string, text: string) => void;
  has: (file: string) => boolean;
  /** Resolves to what was said; rejects with the exit status and what was said. */
  setUp: (steps: string, env?: Record<string, string>) => Promise<string>;
}

function makeProject(t: ExecutionContext): Project {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crossmap-set-up-'));
  t.teardown(() => fs.rmSync(folder, {recursive: true}));
  fs.cpSync(path.join(root, 'scripts'), path.join(folder, 'scripts'), {recursive: true});
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json']) {
    fs.cpSync(path.join(root, file), path.join(folder, file));
  }
  fs.symlinkSync(fs.realpathSync(path.join(root, 'node_modules')), path.join(folder, 'node_modules'));
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, file)), {recursive: true});
    fs.writeFileSync(path.join(folder, file), text);
  };
  const has = (file: string): boolean => fs.existsSync(path.join(folder, file));
  const setUp: Project['setUp'] = async (steps, env = {}) => {
    const code = `
      import {setUp} from './scripts/setup/set-up.mjs';
      import {runScript} from './scripts/setup/say.mjs';
      await runScript(() => setUp(${JSON.stringify(steps.split(' '))}));`;
    const {stderr} = await run(process.execPath, ['--input-type=module', '-e', code], {
      cwd: folder,
      env: {...process.env, CROSSMAP_INSTALL_SYSTEM: '0', NO_COLOR: '1', ...env},
    });
    return stderr;
  };
  return {folder, write, has, setUp};
}

test('TypeScript is compiled once, again when it changed, and what lost its source goes', async (t) => {
  const {write, has, setUp, folder} = makeProject(t);
  write('lib/a.ts', 'export const a = 1;\n');
  write('test/b.test.ts', 'export const b = 1;\n');
  t.regex(
    await setUp('types'),
    /^crossmap compiling TypeScript\ncrossmap TypeScript compiled in [\d.]+ s\n$/,
  );
  t.is(await setUp('types'), '');

  const old = fs.statSync(path.join(folder, 'lib/a.ts'));
  write('lib/a.ts', 'export const a = 2;\n');
  fs.utimesSync(path.join(folder, 'lib/a.ts'), old.atime, old.mtime);
  t.not(await setUp('types'), '');
  t.regex(fs.readFileSync(path.join(folder, 'dist/lib/a.js'), 'utf8'), /a = 2/);

  fs.rmSync(path.join(folder, 'test/b.test.ts'));
  t.not(await setUp('types'), '');
  t.false(has('dist/test/b.test.js'));
  t.false(has('dist/test/b.test.d.ts.map'));
  t.true(has('dist/lib/a.js'));

  fs.rmSync(path.join(folder, 'dist/lib/a.js'));
  t.not(await setUp('types'), '');
  t.true(has('dist/lib/a.js'));
});

test('a type error ends the set-up with its place and status 1, and the next run says it again', async (t) => {
  const {write, setUp} = makeProject(t);
  write('lib/a.ts', 'export const a: string = 1;\n');
  for (const time of ['first', 'second']) {
    const error = await t.throwsAsync<Error & {code: number; stderr: string}>(
      setUp('types'),
      undefined,
      time,
    );
    t.is(error.code, 1);
    t.regex(error.stderr, /TypeScript finds mistakes:\n\nlib\/a\.ts\(1,14\): error TS2322/);
  }
});

test('the addon is built once, and again when its content changed, whatever the time of the file', async (t) => {
  const {write, setUp, folder} = makeProject(t);
  const load = async (): Promise<string> => {
    const file = './build-cmake/Release/crossmap-cpu.node';
    return (
      await run(process.execPath, ['-p', `require(${JSON.stringify(file)})`], {cwd: folder})
    ).stdout.trim();
  };
  write('CMakeLists.txt', cmake);
  write('native/a.c', source);
  t.regex(
    await setUp('addon'),
    /^crossmap building the native addon \(all of it: takes minutes\)\ncrossmap the native addon built in [\d.]+ s\n$/,
  );
  t.is(await load(), '41');
  t.is(await setUp('addon'), '');

  write('native/a.c', source.replace('41', '42'));
  fs.utimesSync(path.join(folder, 'native/a.c'), 1, 1);
  t.regex(await setUp('addon'), /building the native addon \(what changed\)/);
  t.is(await load(), '42');

  write('native/a.c', 'int broken(\n');
  const error = await t.throwsAsync<Error & {code: number; stderr: string}>(setUp('addon'));
  t.is(error.code, 1);
  t.regex(
    error.stderr,
    /addon-build-cmake failed \(.*The end of the log:\n\n[^]*error: [^]*The whole log: \.setup/,
  );

  write('native/a.c', source);
  t.regex(await setUp('addon'), /building the native addon \(what changed\)/);
  t.is(await load(), '41');
});

/** An apt-get and a sudo that note how they are called and do what `body` says. */
function fakeApt({folder, write}: Project, body: string): {calls: () => string[]} {
  write('bin/apt-get', `#!/bin/sh\necho "$@" >>${folder}/calls\n${body}\n`);
  write('bin/sudo', '#!/bin/sh\nshift\nexec "$@"\n');
  for (const name of ['apt-get', 'sudo']) fs.chmodSync(path.join(folder, 'bin', name), 0o755);
  return {
    calls: () => fs.readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n'),
  };
}

/** A folder with links to all programs of the PATH but CMake. */
function programsWithoutCmake({folder}: Project): string {
  const programs = path.join(folder, 'programs');
  fs.mkdirSync(programs);
  for (const place of (process.env['PATH'] ?? '').split(path.delimiter).filter((each) => fs.existsSync(each)))
    for (const name of fs.readdirSync(place))
      if (name !== 'cmake' && !fs.existsSync(path.join(programs, name)))
        fs.symlinkSync(path.join(place, name), path.join(programs, name));
  return programs;
}

test('a missing program is installed where the user may', async (t) => {
  const project = makeProject(t);
  const {folder, write, setUp} = project;
  write('CMakeLists.txt', cmake);
  write('native/a.c', source);
  const {stdout: realCmake} = await run('sh', ['-c', 'command -v cmake']);
  const apt = fakeApt(project, `ln -s ${realCmake.trim()} ${folder}/bin/cmake`);
  const said = await setUp('addon', {
    PATH: `${folder}/bin${path.delimiter}${programsWithoutCmake(project)}`,
    CROSSMAP_INSTALL_SYSTEM: '1',
  });
  t.regex(
    said,
    /^crossmap installing cmake \(apt-get\)\ncrossmap cmake installed in [^]*the native addon built/,
  );
  t.deepEqual(apt.calls(), ['-o Acquire::Retries=1 install -y --no-install-recommends cmake']);
});

test('an installation that fails is tried once, after an update of the lists, and its lack told in one line', async (t) => {
  const project = makeProject(t);
  const {folder, setUp} = project;
  const apt = fakeApt(project, 'case "$*" in *update*) exit 0;; *) exit 100;; esac');
  const env = {
    PATH: `${folder}/bin${path.delimiter}${programsWithoutCmake(project)}`,
    CROSSMAP_INSTALL_SYSTEM: '1',
  };
  for (const time of ['first', 'second']) {
    const error = await t.throwsAsync<Error & {code: number; stderr: string}>(
      setUp('addon', env),
      undefined,
      time,
    );
    t.is(error.code, 1);
    t.regex(
      error.stderr,
      /crossmap CMake is missing and needed to build the native addon: .+ install cmake\n$/,
    );
  }
  t.deepEqual(
    apt.calls().map((call) => call.replace(/.*Retries=1 (\w+).*/, '$1')),
    ['install', 'update', 'install'],
  );
});

test('without a compiler there is one clear line and status 1', async (t) => {
  const {setUp, folder} = makeProject(t);
  const error = await t.throwsAsync<Error & {code: number; stderr: string}>(
    setUp('addon', {PATH: folder, CXX: ''}),
  );
  t.is(error.code, 1);
  t.regex(error.stderr, /^crossmap a C\+\+ compiler is missing and needed to build the native addon: .+\n$/);
});

test('packages that a link leads to are never replaced', async (t) => {
  const {setUp, folder} = makeProject(t);
  const lock = path.join(folder, 'package-lock.json');
  const changed = JSON.parse(fs.readFileSync(lock, 'utf8')) as {packages: Record<string, {version: string}>};
  changed.packages['node_modules/ava'] = {version: '99.0.0'};
  fs.writeFileSync(lock, JSON.stringify(changed));
  t.is(
    await setUp('packages'),
    'crossmap node_modules is a link to packages that differ from package-lock.json: left as it is\n',
  );
});
