/** A build that is killed or stopped goes on behind what it had finished, and gives the same bytes. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync} from 'node:fs';
import {appendFile, mkdir, readdir, readFile, stat, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {z} from 'zod';
import type {Config} from '../../lib/config/index.js';
import {prepareData, type DataProgress} from '../../lib/data/index.js';
import {openJournal} from '../../lib/data/prepared/journal.js';
import {configIn, folderWith, smallConfig, smallFiles, smallYaml} from './corpora.js';

const building = '.data.crossmap-building';

/** The files of prepared data, by their names. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const texts = await Promise.all(
    names.map(async (name) => (await readFile(join(folder, name))).toString('hex')),
  );
  return Object.fromEntries(names.map((name, i) => [name, texts[i] ?? '']));
}

/** Stops a preparation when it begins to do something. */
async function stopAt(t: ExecutionContext, config: Config, stage: DataProgress['stage']): Promise<void> {
  const stop = new AbortController();
  const onProgress = (progress: DataProgress): void => {
    if (progress.stage === stage) stop.abort();
  };
  await t.throwsAsync(prepareData(config, {signal: stop.signal, onProgress}), {code: 'ERR_ABORTED'});
}

/** Names and times of what was built so far. */
async function builtFiles(config: Config, part: 'data' | 'scratch'): Promise<Map<string, number>> {
  const folder = join(config.output, building, part);
  const names = await readdir(folder);
  const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return new Map(names.map((name, i) => [name, times[i] ?? 0]));
}

test('a build that was stopped goes on behind the steps that it finished', async (t) => {
  const config = await smallConfig(t);
  await stopAt(t, config, 'encode');
  const scanned = await builtFiles(config, 'scratch');
  t.deepEqual([...scanned.keys()].sort(), ['scan.pairs.en.cs', 'scan.text.cs', 'scan.text.en']);
  const before = await builtFiles(config, 'data');
  t.deepEqual([...before.keys()], ['tokenizer.json']);

  // Were they read again, or the tokenizer trained again, their files would be new.
  await stopAt(t, config, 'encode');
  t.deepEqual(await builtFiles(config, 'scratch'), scanned);
  t.deepEqual(await builtFiles(config, 'data'), before);

  const told: DataProgress[] = [];
  const {folder} = await prepareData(config, {onProgress: (progress) => void told.push(progress)});
  t.is((await stat(join(folder, 'tokenizer.json'))).mtimeMs, before.get('tokenizer.json')!);
  t.true(told.some(({stage, done}) => stage === 'scan' && done === 1));
  t.deepEqual(await readdir(config.output), ['data']);
  const whole = await prepareData({...config, output: join(config.output, 'whole')});
  t.deepEqual(await contentOf(folder), await contentOf(whole.folder));
});

for (const [title, damage] of [
  [
    'changed',
    async (path: string) => {
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(path, bytes);
    },
  ],
  ['cut short', async (path: string) => truncate(path, (await stat(path)).size - 1)],
] as const)
  test(`a file of a finished step that was ${title} is made again`, async (t) => {
    const config = await smallConfig(t);
    const whole = await prepareData({...config, output: join(config.output, 'whole')});
    await stopAt(t, config, 'encode');
    await damage(join(config.output, building, 'scratch', 'scan.text.en'));
    await damage(join(config.output, building, 'data', 'tokenizer.json'));
    await writeFile(join(config.output, building, 'data', 'text.en.tokens'), 'half');
    const {folder} = await prepareData(config);
    t.deepEqual(await contentOf(folder), await contentOf(whole.folder));
  });

test('what was built of other files is not taken', async (t) => {
  const config = await smallConfig(t);
  await stopAt(t, config, 'encode');
  await appendFile(join(config.data.root, 'en.txt'), '\nThe moon is made of bread.\n');
  const {report} = await prepareData(config);
  t.is(report.languages[1]?.read.documents, 121);
  t.deepEqual(await readdir(config.output), ['data']);
});

test('a corpus that is at fault leaves nothing behind', async (t) => {
  const folder = await folderWith(t, {...smallFiles, 'en-cs.tsv': 'one column\n'});
  const config = configIn(folder, smallYaml);
  await t.throwsAsync(prepareData(config), {code: 'ERR_DATA', message: /en-cs\.tsv:1: has 1 tab-separated/});
  t.deepEqual(await readdir(config.output), []);
});

test('what a build left that was killed behind its end is removed', async (t) => {
  const config = await smallConfig(t);
  const {folder} = await prepareData(config);
  const {fingerprint} = JSON.parse(await readFile(join(folder, 'data.json'), 'utf8')) as {
    fingerprint: string;
  };
  await mkdir(join(config.output, building));
  await writeFile(join(config.output, building, 'fingerprint'), fingerprint);
  t.true((await prepareData(config)).reused);
  t.deepEqual(await readdir(config.output), ['data']);
});

test('two builds of one folder do not meet', async (t) => {
  const config = await smallConfig(t);
  const folder = join(config.output, 'data');
  const journal = await openJournal(folder, 'of another');
  await t.throwsAsync(prepareData(config), {
    code: 'ERR_BUSY',
    message: `${folder} is being prepared by process ${process.pid}; stop it first, or wait until it is done`,
  });
  await journal.discard();
  t.false((await prepareData(config)).reused);
});

test('a step that fails leaves no file, and is done again', async (t) => {
  const config = await smallConfig(t);
  const journal = await openJournal(join(config.output, 'data'), 'f');
  const file = journal.dataPath('a');
  const step = (work: () => Promise<void>): Promise<number> =>
    journal.step('a', {
      schema: z.number(),
      files: [file],
      async work() {
        await writeFile(file, 'half', {flag: 'wx'});
        await work();
        return 7;
      },
    });
  await t.throwsAsync(
    step(() => Promise.reject(new Error('no'))),
    {message: 'no'},
  );
  t.deepEqual(await readdir(join(file, '..')), []);
  t.is(await step(() => Promise.resolve()), 7);
  t.is(await step(() => Promise.reject(new Error('not done again'))), 7);
  await journal.discard();
});

/** What lies in a folder now, as far as it can be seen while it changes. */
function listingOf(folder: string): string {
  try {
    return readdirSync(folder, {recursive: true}).map(String).sort().join();
  } catch {
    return '';
  }
}

/** Prepares in a child that is killed once files have come or gone `changes` times. */
async function killAt(t: ExecutionContext, config: Config, changes: number): Promise<void> {
  const script = fileURLToPath(new URL('./prepare-until-killed.js', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(config)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let [last, seen] = [listingOf(config.output), 0];
  const look = setInterval(() => {
    const now = listingOf(config.output);
    if (now !== last && ++seen === changes) child.kill('SIGKILL');
    last = now;
  }, 1);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearInterval(look);
  t.true(signal === 'SIGKILL' || code === 0, `code ${code}, signal ${signal}`);
}

test('a build that is killed again and again goes on, to the same bytes', async (t) => {
  const config = await smallConfig(t);
  const whole = await prepareData({...config, output: join(config.output, 'whole')});
  // Each time it comes a little further: a step is two changes or more, its files and its record under two names.
  for (const changes of [2, 9, 5, 14, 8]) await killAt(t, config, changes);
  const {folder} = await prepareData(config);
  t.deepEqual(await contentOf(folder), await contentOf(whole.folder));
  t.deepEqual((await readdir(config.output)).sort(), ['data', 'whole']);
});
