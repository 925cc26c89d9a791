/** The addon and its TypeScript side. */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {addonInUse, native} from '../lib/native.js';
import {root} from './repository/support.js';
import {runModule} from './support/module.js';
import {compile, programFolder} from './support/native-program.js';

/** The functions that an interface of a file declares. */
function declaredIn(file: string, start: RegExp): string[] {
  const source = fs.readFileSync(path.join(root, file), 'utf8');
  const [, body = ''] = new RegExp(`${start.source}\\{\\n([^]*?)\\n\\}`).exec(source) ?? [];
  return [...body.matchAll(/^  (\w+): \(/gm)].map(([, name]) => name!);
}

test('the interfaces of the addon have exactly the functions that it exports', async (t) => {
  // What begins with simt is the emulator's, in the addon that has one.
  const hasEmulator = addonInUse().path.endsWith('crossmap-simt.node');
  const declared = [
    ...declaredIn('lib/native.ts', /interface Native extends NativeOps /),
    ...declaredIn('lib/native-ops.ts', /interface NativeOps /),
  ].filter((name) => hasEmulator || !name.startsWith('simt'));
  const {printed: exported} = await runModule(
    `import {createRequire} from 'node:module';
     console.log(JSON.stringify(Object.keys(createRequire('/')(${JSON.stringify(addonInUse().path)}))));`,
  );
  t.deepEqual(declared.sort(), (JSON.parse(exported) as string[]).sort());
});

test('an addon that does not exist gives ERR_ADDON with its path', async (t) => {
  const {printed} = await runModule(
    `import {memory} from 'lib/tensor/index.js';
     try { memory(); } catch ({code, message}) { console.log(code, message); }`,
    {env: {CROSSMAP_ADDON: '/nowhere/crossmap.node'}},
  );
  t.regex(printed, /^ERR_ADDON the native addon \/nowhere\/crossmap\.node cannot be loaded: /);
});

test('what needs no addon works without one', async (t) => {
  const {printed} = await runModule(
    `import {mexa} from 'lib/eval/index.js'; import 'lib/ops/index.js'; console.log(typeof mexa);`,
    {env: {CROSSMAP_ADDON: '/nowhere/crossmap.node'}},
  );
  t.is(printed, 'function');
});

const tellDevices = `
  import {devices, whyNoCuda} from 'lib/tensor/index.js';
  try { console.log(JSON.stringify([devices(), whyNoCuda()])); } catch ({code, message}) { console.log(code, message); }`;

/** Devices, and why there is no cuda, in a process that looks for its addon with these variables. */
async function devicesWith(env: Readonly<Record<string, string>>): Promise<[string[], string | null]> {
  const {printed} = await runModule(tellDevices, {env: {CROSSMAP_ADDON: '', ...env}});
  return JSON.parse(printed) as [string[], string | null];
}

test('an addon that nobody names has the CPU and, with a GPU, cuda before it; else it says why not', async (t) => {
  const [devices, noCuda] = await devicesWith({});
  t.deepEqual(devices, noCuda === null ? ['cuda', 'cpu'] : ['cpu']);
  t.true(noCuda === null || noCuda.length > 0);
});

test('CROSSMAP_DEVICE=simt takes the addon with the emulated GPU, behind the CPU', async (t) => {
  t.deepEqual(await devicesWith({CROSSMAP_DEVICE: 'simt'}), [
    ['cpu', 'simt'],
    'the addon in use is built without it',
  ]);
});

test('CROSSMAP_DEVICE=cpu takes the addon with the CPU alone', async (t) => {
  t.deepEqual(await devicesWith({CROSSMAP_DEVICE: 'cpu'}), [['cpu'], 'the addon in use is built without it']);
});

test('CROSSMAP_DEVICE refuses what is no device', async (t) => {
  const {printed} = await runModule(tellDevices, {env: {CROSSMAP_ADDON: '', CROSSMAP_DEVICE: 'tpu'}});
  t.is(printed, 'ERR_ARGUMENT the environment variable CROSSMAP_DEVICE must be cpu, cuda or simt; got tpu');
});

test('requireDevice decides before the addon is loaded, and refuses afterwards', async (t) => {
  const {printed} = await runModule(
    `import {devices, requireDevice} from 'lib/tensor/index.js';
     requireDevice('simt');
     console.log(devices().join());
     try { requireDevice('cuda'); } catch ({code, message}) { console.log(code, message); }`,
    {env: {CROSSMAP_ADDON: ''}},
  );
  t.regex(
    printed,
    /^cpu,simt\nERR_ADDON the device cuda was asked for after .*crossmap-simt\.node, which is without it, had been loaded$/,
  );
});

const cudaAddon = path.join(root, 'build-cuda/Release/crossmap-cuda.node');
const testCuda = fs.existsSync(cudaAddon) ? test : test.skip;

testCuda('the addon with CUDA loads without a usable driver, computes on the CPU and says why', async (t) => {
  const libraries = programFolder();
  const source = ['test/runtime/fake-driver.cc'];
  compile(path.join(libraries, 'libcuda.so.1'), source, ['-shared', '-fPIC', '-Wl,-soname,libcuda.so.1']);
  const {printed, errors} = await runModule(
    `import {add} from 'lib/ops/index.js';
     import {devices, full, memory, whyNoCuda} from 'lib/tensor/index.js';
     console.log(devices().join(), '|', whyNoCuda(), '|', await add(full([], 1), full([], 2)).item());
     try { memory('cuda'); } catch ({code, message}) { console.log(code, message); }`,
    {env: {CROSSMAP_ADDON: cudaAddon, LD_LIBRARY_PATH: libraries, FAKE_VERSION: '12040'}},
  );
  const reason = 'the NVIDIA driver is too old: it runs CUDA 12.4, and this build needs 13.0 or later';
  t.is(errors, '');
  t.is(printed, `cpu | ${reason} | 3\nERR_DEVICE device must be cpu; got cuda: ${reason}`);
});

test('an instruction set that is none is refused by name', async (t) => {
  const {printed} = await runModule(
    `import {memory} from 'lib/tensor/index.js';
     try { memory(); } catch ({code, message}) { console.log(code, message); }`,
    {env: {CROSSMAP_ISA: 'avx3'}},
  );
  t.is(
    printed,
    'ERR_ARGUMENT the environment variable CROSSMAP_ISA must be baseline, avx2, avx512 or amx; got avx3',
  );
});

for (const [what, call, message] of [
  [
    'nothing',
    () => native.fill(undefined as never, 'float32', 'cpu', 0),
    'fill: argument 1 must be an array; got undefined',
  ],
  [
    'a size that is no whole number',
    () => native.fill([1.5], 'float32', 'cpu', 0),
    'fill: argument 1[0] must be a whole number; got 1.5',
  ],
  [
    'an unknown dtype',
    () => native.fill([1], 'float8' as never, 'cpu', 0),
    "fill: argument 2 must be one of float32, bfloat16, float16, int32, int64, uint8; got 'float8'",
  ],
  [
    'an object that is no tensor',
    () => native.cast({} as never, 'float32'),
    'cast: argument 1 must be a tensor; got an object',
  ],
  [
    'a function for a number',
    () => native.fill([1], 'float32', 'cpu', (() => 0) as never),
    'fill: argument 4 must be a number; got a function',
  ],
] as const)
  test(`native code refuses ${what} in words`, (t) => {
    t.throws(call, {code: 'ERR_ARGUMENT', message});
  });

test('a prototype of a native tensor is no tensor', (t) => {
  const made = native.fill([1], 'float32', 'cpu', 0);
  const fake: unknown = Object.create(made);
  t.throws(() => native.cast(fake as never, 'float32'), {code: 'ERR_ARGUMENT'});
});

test('a mapped file has the bytes of the file, and one that is missing gives ERR_IO', (t) => {
  const file = path.join(root, 'package.json');
  t.deepEqual(Buffer.from(native.mapFile(file)), fs.readFileSync(file));
  t.throws(() => native.mapFile('/nowhere/file'), {
    code: 'ERR_IO',
    message: 'mapFile: /nowhere/file cannot be mapped: No such file or directory',
  });
  t.throws(() => native.mapFile(root), {code: 'ERR_IO', message: /is not a file$/});
});
