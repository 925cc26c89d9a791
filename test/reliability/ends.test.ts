/** Processes and threads that end while native work is in flight: no crash, no hang, and the exit code that was asked for. */
import {cp, mkdir, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {addonInUse} from '../../lib/native.js';
import {temporaryFolder} from '../formats/folder.js';
import {root} from '../repository/support.js';
import {runModule} from '../support/module.js';
import {tinyYaml, writeCorpus} from '../train/tiny-run.js';

/** Enqueues some seconds of work, and waits for none of it. */
const enqueue = `
  import {matmul, normal} from 'lib/ops/index.js';
  import {synchronize} from 'lib/tensor/index.js';
  const a = normal([1024, 1024], {seed: 1});
  const work = () => { for (let i = 0; i < 60; i++) matmul(a, a).dispose(); };`;

const endings: Readonly<Record<string, readonly [code: string, exitCode: number, errors: RegExp]>> = {
  'the end of the program': ['work();', 0, /^$/],
  'process.exit()': ['work(); process.exit(0);', 0, /^$/],
  'process.exit() while somebody waits': [
    'work(); void synchronize(); setTimeout(() => process.exit(7), 20);',
    7,
    /^$/,
  ],
  'an uncaught error': ["work(); void synchronize(); throw new Error('not caught');", 1, /not caught/],
  'a rejection that nobody handles': [
    "work(); void Promise.reject(new Error('not handled')); await synchronize();",
    1,
    /not handled/,
  ],
  'process.exit() in a hook of the exit': ["work(); process.on('exit', () => process.exit(3));", 3, /^$/],
  'a getter that ends the process': [
    'work(); const shape = [1]; Object.defineProperty(shape, 0, {get: () => process.exit(5)}); normal(shape, {seed: 1});',
    5,
    /^$/,
  ],
};

for (const [what, [code, exitCode, errors]] of Object.entries(endings))
  test(`${what} with work in flight ends with the exit code ${exitCode}`, async (t) => {
    const ended = await runModule(`${enqueue}\n${code}`);
    t.is(ended.exitCode, exitCode, ended.errors);
    t.regex(ended.errors, errors);
  });

test('process.exit() in the middle of a step leaves a run that goes on', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const run = (stopAt: number): string => `
    import {parseConfig} from 'lib/config/index.js';
    import {train} from 'lib/train/index.js';
    const set = ['output=${folder}/run', 'data.root=${folder}', 'training.checkpointEvery=2', 'training.steps=8',
      'evaluation={every: 1000, atStart: false, pairs: 0, samples: 0, textTokens: 64}'];
    const config = parseConfig(${JSON.stringify(tinyYaml)}, {file: 'tiny.yaml', set});
    for await (const event of train(config)) {
      if (event.type === 'start') console.log('from', event.resumedFrom);
      if (event.type === 'end') console.log(event.reason);
      if (event.type === 'step' && event.step === ${stopAt}) setImmediate(() => process.exit(4));
    }`;
  const first = await runModule(run(5));
  t.is(first.exitCode, 4, first.errors);
  const second = await runModule(run(-1));
  t.is(second.errors, '');
  t.is(second.printed, 'from 4\nfinished');
});

/** Threads that each load crossmap of their own, work, and end as \`end\` says. */
const threads = (body: string, count: number, end: string): string => `
  import {Worker} from 'node:worker_threads';
  const code = ${JSON.stringify(body)}.replaceAll('LIB', 'lib/');
  const ends = Array.from({length: ${count}}, () => {
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
    return new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', resolve);
      worker.on('message', (message) => { ${end} });
    });
  });
  console.log((await Promise.all(ends)).join());`;

/** As runModule does for the code itself: where the library lies. */
const library = new URL('../../lib/', import.meta.url).href;

const inThread = `
  import {parentPort} from 'node:worker_threads';
  import {matmul, normal} from '${library}ops/index.js';
  import {setThreads, synchronize} from '${library}tensor/index.js';
  const a = normal([512, 512], {seed: 1});
  setThreads(2);
  const work = () => { for (let i = 0; i < 40; i++) matmul(a, a).dispose(); };`;

test('worker threads each have a crossmap of their own, and end with work in flight', async (t) => {
  const {printed, exitCode, errors} = await runModule(
    threads(`${inThread} work(); parentPort.postMessage('on');`, 4, ''),
  );
  t.is(errors, '');
  t.is(exitCode, 0);
  t.is(printed, '0,0,0,0');
});

test('worker threads compute what the main thread does', async (t) => {
  const sum =
    'import {sum} from "' +
    library +
    'ops/index.js"; parentPort.postMessage(await sum(matmul(a, a)).item());';
  const code = threads(`${inThread} ${sum}`, 3, 'console.log(message)');
  const {printed, errors} = await runModule(code);
  t.is(errors, '');
  const lines = printed.split('\n');
  t.is(new Set(lines.slice(0, 3)).size, 1, printed);
  t.is(lines[3], '0,0,0');
});

for (const [what, waits] of [
  ['during ops', ''],
  ['while it waits for ops', 'void synchronize().then(work);'],
] as const)
  test(`a worker thread that is terminated ${what} ends, and the process goes on`, async (t) => {
    const body = `${inThread} setInterval(() => { work(); ${waits} }, 1); parentPort.postMessage('on');`;
    const code = threads(body, 4, 'setTimeout(() => worker.terminate(), 30);');
    const {printed, exitCode, errors} = await runModule(`${code}
      import {full} from 'lib/tensor/index.js';
      console.log(await full([1], 3).item());`);
    t.is(errors, '');
    t.is(exitCode, 0);
    t.is(printed, '1,1,1,1\n3');
  });

test('two copies of the package in one process do not meet', async (t) => {
  const folder = await temporaryFolder(t);
  const copy = join(folder, 'crossmap');
  await mkdir(join(copy, 'dist'), {recursive: true});
  await cp(join(root, 'dist', 'lib'), join(copy, 'dist', 'lib'), {recursive: true});
  await cp(join(root, 'package.json'), join(copy, 'package.json'));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const addon = join(copy, 'build-cmake', 'Release', 'crossmap-cpu.node');
  await cp(addonInUse().path, addon);
  const other = pathToFileURL(join(copy, 'dist', 'lib')).href;
  const {printed, errors, exitCode} = await runModule(
    `import {normal, matmul, sum} from 'lib/ops/index.js';
     import {memory} from 'lib/tensor/index.js';
     import {CrossmapError} from 'lib/index.js';
     process.env.CROSSMAP_ADDON = ${JSON.stringify(addonInUse().path)};
     const mine = normal([64, 64], {seed: 1});
     process.env.CROSSMAP_ADDON = ${JSON.stringify(addon)};
     const their = await import('${other}/ops/index.js');
     const theirMemory = (await import('${other}/tensor/index.js')).memory;
     const theirs = their.normal([64, 64], {seed: 1});
     console.log(await sum(matmul(mine, mine)).item() === await their.sum(their.matmul(theirs, theirs)).item());
     const [before, held] = [memory().allocatedBytes, theirMemory().allocatedBytes];
     mine.dispose();
     console.log(memory().allocatedBytes < before, theirMemory().allocatedBytes === held);
     const other = normal([64, 64], {seed: 2});
     for (const call of [() => matmul(other, theirs), () => their.matmul(other, theirs), () => their.exp(other)])
       try { call(); console.log('taken'); } catch (error) { console.log(error.code); }`,
  );
  t.is(errors, '');
  t.is(exitCode, 0);
  t.is(printed, 'true\ntrue true\nERR_ARGUMENT\nERR_ARGUMENT\nERR_ARGUMENT');
});
