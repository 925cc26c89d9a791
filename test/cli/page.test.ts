import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import test from 'ava';
import {temporaryFolder} from '../formats/folder.js';
import {follow, type Follower} from '../live/client.js';
import {tinyYaml, writeCorpus} from '../train/tiny-run.js';
import {crossmap} from './crossmap.js';

async function tinyFolder(t: Parameters<typeof temporaryFolder>[0]): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  await writeFile(join(folder, 'tiny.yaml'), tinyYaml);
  return folder;
}

const address = /page: (http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/)\n/;

test('train --page serves the run to its end, and an open page keeps no process alive', async (t) => {
  const cwd = await tinyFolder(t);
  let client: Promise<Follower> | undefined;
  const {code, stdout, stderr} = await crossmap(['train', 'tiny.yaml', '--page', '0'], {
    cwd,
    onOutput: (piece) => {
      const [, url] = address.exec(piece) ?? [];
      if (url !== undefined) client ??= follow(new URL(url));
    },
  });
  t.deepEqual([code, stderr], [0, '']);
  t.regex(stdout, address);
  const shown: Record<string, string> = {};
  let last = '';
  const {next} = await client!;
  for (let event = await next(); event; event = await next()) {
    Object.assign(shown, event.parts);
    last = event.type;
  }
  t.is(last, 'end');
  t.true(shown['head']!.includes('data-phase="finished"'));
  t.true(shown['now']!.includes('Step 12 of 12'));
  t.true(shown['now']!.includes(join(cwd, 'runs', 'tiny', 'report.html')));
  t.regex(shown['samples']!, /English/);
});

test('with --json the address goes to standard error, and a signal stops the run as ever', async (t) => {
  const cwd = await tinyFolder(t);
  const args = ['train', 'tiny.yaml', '--page', '0', '--json', '--set', 'training.steps=100000'];
  const {code, stdout, stderr} = await crossmap(args, {
    cwd,
    onOutput: (piece, child) => {
      if (piece.includes('"type":"step"')) child.kill('SIGTERM');
    },
  });
  t.is(code, 143);
  t.regex(stderr, address);
  for (const line of stdout.trim().split('\n')) t.notThrows(() => JSON.parse(line) as unknown);
});

test('a port that is taken is told before anything begins', async (t) => {
  const cwd = await tinyFolder(t);
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await new Promise((told) => other.once('listening', told));
  const {port} = other.address() as AddressInfo;
  const {code, stdout, stderr} = await crossmap(['train', 'tiny.yaml', '--page', String(port)], {cwd});
  t.deepEqual([code, stdout], [1, '']);
  t.regex(
    stderr,
    new RegExp(`^error ERR_IO: page: port ${port} of 127\\.0\\.0\\.1 is taken by another program; `),
  );
  t.false(existsSync(join(cwd, 'runs')));
});

test('a configuration behind --page is told apart from a port', async (t) => {
  const cwd = await tinyFolder(t);
  const {code, stderr} = await crossmap(['train', '--page', 'tiny.yaml'], {cwd});
  t.is(code, 2);
  t.regex(
    stderr,
    /'tiny\.yaml' is invalid\. It must be a port, 0 to 65535; the configuration stands before --page\.\n/,
  );
});

test('a run that fails shows why on its page', async (t) => {
  const cwd = await tinyFolder(t);
  let client: Promise<Follower> | undefined;
  const args = [
    'train',
    'tiny.yaml',
    '--page',
    '0',
    '--set',
    'training.learningRate=1e9',
    '--set',
    'training.clipNorm=off',
  ];
  const {code, stderr} = await crossmap(args, {
    cwd,
    onOutput: (piece) => {
      const [, url] = address.exec(piece) ?? [];
      if (url !== undefined) client ??= follow(new URL(url));
    },
  });
  t.is(code, 1);
  t.regex(stderr, /^error ERR_DIVERGED: /);
  const {next} = await client!;
  let now = '';
  for (let event = await next(); event; event = await next()) now = event.parts['now'] ?? now;
  t.regex(now, /<pre>ERR_DIVERGED: /);
  t.regex(await readFile(join(cwd, 'runs', 'tiny', 'report.html'), 'utf8'), /not finished/);
});
