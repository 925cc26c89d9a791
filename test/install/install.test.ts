/**
 * The packages as users get them, through a registry on this machine: `npm run test:install`. Each user has Node, npm and a shell, and
 * no compiler.
 */
import {execFileSync} from 'node:child_process';
import {cp, mkdtemp, readFile, rename, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import ava, {type ExecutionContext} from 'ava';
import {root} from '../repository/support.js';
import {startRegistry, type Registry} from './registry.js';
import {createUser, type User} from './user.js';

const isAsked = process.env['CROSSMAP_TEST_INSTALL'] === '1';
const test = isAsked ? ava.serial : ava.serial.skip;
const {version} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {version: string};

const cpuPackage = `@crossmap/linux-${process.arch}-cpu`;
const cudaPackage = `@crossmap/linux-${process.arch}-cuda13`;

/** Three steps on bundled text: what each way to import must be able to do. */
const threeSteps = `
  const {dirname, join} = await import('node:path');
  const data = join(dirname(require.resolve('crossmap/package.json')), 'data');
  const config = await loadConfig(join(data, 'demo.yaml'), {
    set: ['training.steps=3', 'training.warmupSteps=1', 'evaluation.atStart=false', 'evaluation.every=9', 'tokenizer.vocabSize=600', 'output=run-' + process.pid],
  });
  const losses = [];
  for await (const event of train(config)) if (event.type === 'step') losses.push(event.loss);
  if (losses.length !== 3 || !losses.every(Number.isFinite)) throw new Error(String(losses));
  console.log('trained');`;

const withRequire = `
  import {createRequire} from 'node:module';
  const require = createRequire(import.meta.url);
  import {loadConfig} from 'crossmap/config';
  import {train} from 'crossmap/train';
  ${threeSteps}`;

/** The first tensor, and where the addon came from. */
const whichAddon = `
  import {full} from 'crossmap/tensor';
  try { console.log((await full([2], 1).data()).join()); }
  catch ({code, message}) { console.log(code, message); }`;

let folder: string;
let registry: Registry;
let user: User;

/** Of npm, told in the folder of this repository. */
function npmRegistry(): string {
  return execFileSync('npm', ['config', 'get', 'registry'], {cwd: root, encoding: 'utf8'}).trim();
}

async function installed(t: ExecutionContext, user: User, flags: readonly string[] = []): Promise<void> {
  const {status, output} = await user.run(['npm', 'install', 'crossmap', ...flags]);
  t.is(status, 0, output);
  t.log(`npm install crossmap ${flags.join(' ')}\n${output}`);
}

/** Another user of the same machine, with crossmap installed. */
async function otherUser(
  t: ExecutionContext,
  name: string,
  options: {readonly node?: string; readonly programs?: readonly string[]} = {},
): Promise<User> {
  const other = await createUser(join(folder, name), {
    registry: registry.url,
    cache: join(folder, 'cache'),
    ...options,
  });
  await installed(t, other);
  return other;
}

ava.serial.before('all packages are built, checked and published', async (t) => {
  if (!isAsked) return;
  t.timeout(40 * 60_000);
  folder = await mkdtemp(join(tmpdir(), 'crossmap-install-'));
  registry = await startRegistry(join(folder, 'registry'), npmRegistry());
  const release = ['release', '--registry', registry.url, '--rehearsal'];
  const publisher = await createUser(join(folder, 'publisher'), {
    registry: registry.url,
    cache: join(folder, 'cache'),
  });
  // A release is made where the compilers are.
  const env = {...process.env, NPM_CONFIG_USERCONFIG: registry.userConfig} as Record<string, string>;
  const first = await publisher.run(['node', join(root, 'scripts/run.mjs'), ...release], env);
  t.is(first.status, 0, first.output);
  t.log(first.output);
  t.true(first.output.includes(`crossmap@${version} is published`));
  const again = await publisher.run(['node', join(root, 'scripts/run.mjs'), ...release], env);
  t.is(again.status, 0, again.output);
  t.true(again.output.includes(`crossmap@${version} is there already`), again.output);
  user = await createUser(join(folder, 'user'), {registry: registry.url, cache: join(folder, 'cache')});
});

ava.after.always('the registry stops', async () => {
  if (!isAsked) return;
  await registry.stop();
  await rm(folder, {recursive: true, force: true});
});

test('npm install needs no compiler and runs no script', async (t) => {
  t.timeout(10 * 60_000);
  await installed(t, user, ['--foreground-scripts']);
  const lock = JSON.parse(await readFile(join(user.folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, {hasInstallScript?: boolean}>;
  };
  t.deepEqual(
    Object.entries(lock.packages)
      .filter(([, {hasInstallScript}]) => hasInstallScript)
      .map(([name]) => name),
    [],
  );
  t.true(`node_modules/${cpuPackage}` in lock.packages);
});

test('the command works', async (t) => {
  const asked = await user.run(['npx', 'crossmap', '--version']);
  t.is(asked.output, version);
  const {status, output} = await user.run(['npx', 'crossmap', 'info']);
  t.is(status, 0, output);
  t.log(output);
  t.regex(output, /^addon +.*of the package @crossmap\/linux-/m);
});

test('an ES module trains three steps', async (t) => {
  t.timeout(5 * 60_000);
  const {status, output} = await user.runProgram('train.mjs', withRequire);
  t.deepEqual([status, output.split('\n').at(-1)], [0, 'trained'], output);
});

test('a CommonJS module trains three steps', async (t) => {
  t.timeout(5 * 60_000);
  const {status, output} = await user.runProgram(
    'train.cjs',
    `const {loadConfig} = require('crossmap/config');
     const {train} = require('crossmap/train');
     (async () => {${threeSteps}})();`,
  );
  t.deepEqual(
    [
      status,
      output
        .split('\n')
        .filter((line) => !line.includes('Warning'))
        .at(-1),
    ],
    [0, 'trained'],
    output,
  );
});

test('a TypeScript program is checked against the types, compiled and trains', async (t) => {
  t.timeout(5 * 60_000);
  await writeFile(
    join(user.folder, 'train.mts'),
    `import {type Config, loadConfig} from 'crossmap/config';
     import {train, type TrainEvent} from 'crossmap/train';
     import {createRequire} from 'node:module';
     const require = createRequire(import.meta.url);
     const note = (event: TrainEvent): string => event.type;
     const checked: (config: Config) => AsyncIterable<TrainEvent> = train;
     console.log(typeof note, typeof checked);
     ${threeSteps.replace('const losses = []', 'const losses: number[] = []')}
     // @ts-expect-error a step is no text
     const wrong: string = losses;
     void wrong;`,
  );
  await cp(join(root, 'node_modules/@types/node'), join(user.folder, 'node_modules/@types/node'), {
    recursive: true,
  });
  await cp(join(root, 'node_modules/undici-types'), join(user.folder, 'node_modules/undici-types'), {
    recursive: true,
  });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const flags = [
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,esnext.disposable',
    '--strict',
    '--types',
    'node',
  ];
  const {status, output} = await user.run(['node', compiler, ...flags, 'train.mts']);
  t.is(status, 0, output);
  const ran = await user.run(['node', 'train.mjs']);
  t.deepEqual([ran.status, ran.output.split('\n').at(-1)], [0, 'trained'], ran.output);
});

test('without the optional package the error says what was tried and what to do', async (t) => {
  const other = await createUser(join(folder, 'without'), {
    registry: registry.url,
    cache: join(folder, 'cache'),
  });
  await installed(t, other, ['--omit=optional']);
  const {output} = await other.runProgram('first.mjs', whichAddon);
  t.log(output);
  t.regex(
    output,
    /^ERR_ADDON there is no native addon for linux \w+: .*-cpu is not installed; install crossmap again without --omit=optional, or compile the addon by npx crossmap build, or set CROSSMAP_ADDON to an addon$/,
  );
  const info = await other.run(['npx', 'crossmap', 'info']);
  t.is(info.status, 0, info.output);
  t.regex(info.output, /^addon +there is no native addon for/m);
  const build = await other.run(['npx', 'crossmap', 'build']);
  t.log(build.output);
  t.is(build.status, 1);
  t.regex(build.output, /a C\+\+ compiler is missing and needed to build the native addon/);
  t.regex(build.output, /^error ERR_ADDON: the addon is not built/m);
});

test('a damaged, foreign or older addon is told as such, and what else there is is taken', async (t) => {
  const other = await otherUser(t, 'damaged');
  const packageFolder = join(other.folder, 'node_modules', cpuPackage);
  const file = join(packageFolder, 'crossmap-cpu.node');
  const manifest = join(packageFolder, 'package.json');
  const whole = await readFile(file);
  const told = await readFile(manifest, 'utf8');
  const tell = async (expected: RegExp): Promise<void> => {
    const {status, output} = await other.runProgram('first.mjs', whichAddon, {CROSSMAP_DEVICE: 'cpu'});
    t.log(output);
    t.is(status, 0, output);
    t.regex(output, expected);
  };
  await truncate(file, whole.length >> 1);
  await tell(/-cpu is damaged \(crossmap-cpu\.node has \d+ bytes instead of \d+\)/);
  await rm(file);
  await tell(/-cpu is damaged \(crossmap-cpu\.node is missing\)/);
  const foreign = Buffer.from(whole);
  foreign.writeUInt16LE(foreign.readUInt16LE(18) === 183 ? 62 : 183, 18); // e_machine: of the other processor
  await writeFile(file, foreign);
  await tell(/-cpu cannot be loaded: .*crossmap-cpu\.node: cannot open shared object file/);
  await writeFile(file, Buffer.alloc(whole.length));
  await tell(/-cpu cannot be loaded: .*(?:invalid ELF header|file too short)/);
  await writeFile(file, whole);
  await writeFile(manifest, told.replace(`"version": "${version}"`, '"version": "0.0.1"'));
  await tell(new RegExp(`-cpu is of version 0\\.0\\.1, and crossmap of ${version.replaceAll('.', '\\.')}`));
  await writeFile(manifest, '{');
  await tell(/-cpu is /);
  await writeFile(manifest, told);
  await tell(/^1,1$/);
  // With nothing else wrong the package with CUDA, where there is one, is the last resort: it has the CPU too.
  await rename(packageFolder, `${packageFolder}-gone`);
  const {output} = await other.runProgram('first.mjs', whichAddon);
  const hasCuda = (await other.run(['npm', 'ls', cudaPackage])).output.includes(version);
  t.regex(output, hasCuda ? /^1,1$/ : /^ERR_ADDON /);
});

test('a second installation works offline, from the cache', async (t) => {
  t.timeout(5 * 60_000);
  await rm(join(user.folder, 'node_modules'), {recursive: true});
  const {status, output} = await user.run(['npm', 'ci', '--offline']);
  t.is(status, 0, output);
  t.log(output);
  t.is((await user.runProgram('first.mjs', whichAddon)).output, '1,1');
});

for (const major of [22, 24])
  test(`it trains on Node ${major}`, async (t) => {
    t.timeout(10 * 60_000);
    const nodes = await createUser(join(folder, `node-${major}`), {
      registry: registry.url,
      cache: join(folder, 'cache'),
    });
    const {status, output} = await nodes.run(['npm', 'install', `node-linux-${process.arch}@${major}`]);
    t.is(status, 0, output);
    const node = join(nodes.folder, `node_modules/node-linux-${process.arch}/bin/node`);
    const other = await otherUser(t, `user-${major}`, {node});
    t.regex((await other.run(['node', '--version'])).output, new RegExp(`^v${major}\\.`));
    const trained = await other.runProgram('train.mjs', withRequire);
    t.deepEqual([trained.status, trained.output.split('\n').at(-1)], [0, 'trained'], trained.output);
  });

test('what is not for the machine is compiled by crossmap build', async (t) => {
  t.timeout(40 * 60_000);
  // node-gyp: there is no CMake on this PATH.
  const compilers = [
    'make',
    'g++',
    'c++',
    'gcc',
    'cc',
    'as',
    'ld',
    'ar',
    '/usr/bin/python3',
    'uname',
    'rm',
    'mkdir',
    'cp',
    'ln',
    'touch',
    'printf',
    'echo',
    'cat',
    'sed',
    'env',
    'dirname',
    'basename',
  ];
  const other = await createUser(join(folder, 'builder'), {
    registry: registry.url,
    cache: join(folder, 'cache'),
    programs: compilers,
  });
  await installed(t, other, ['--omit=optional']);
  const {status, output} = await other.run(['npx', 'crossmap', 'build']);
  t.log(output);
  t.is(status, 0, output);
  t.regex(output, /cmake-js does not build it: CMake is missing/);
  t.is((await other.runProgram('first.mjs', whichAddon)).output, '1,1');
  t.regex((await other.run(['npx', 'crossmap', 'info'])).output, /^addon .*\(built by node-gyp\)$/m);
});
