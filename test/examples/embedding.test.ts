/** The programs of examples/embedding run as they stand, and docs/embedding.md shows what is in them. */
import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test, {type ExecutionContext} from 'ava';
import {readSafetensors} from '../../lib/formats/index.js';
import type {TrainEvent} from '../../lib/train/index.js';
import {folderWith, smallFiles, smallYaml} from '../data/corpora.js';
import {root} from '../repository/support.js';

const sources = path.join(root, 'examples/embedding');
const programs = path.join(root, 'dist/examples/embedding');

/** What a program prints. */
async function run(name: string, ...args: readonly string[]): Promise<string> {
  const program = path.join(programs, `${name}.js`);
  const {stdout} = await promisify(execFile)(process.execPath, [program, ...args]);
  return stdout;
}

/** The numbers that stand behind each occurrence of a word. */
function numbersAfter(word: string, text: string): number[] {
  return [...text.matchAll(new RegExp(`${word} (-?[\\d.]+\\d)`, 'g'))].map(([, number]) => Number(number));
}

test('kernels: each sentence finds its translation', async (t) => {
  t.regex(await run('kernels'), /\n20 of 20 sentences find their translation\n$/);
});

test('custom-op: gradients are those of finite differences, and turned around', async (t) => {
  t.is(
    await run('custom-op'),
    'softplus at 1000: 1000\ngradient and finite differences are the same\nreversed gradient of x²: -0.20 -0.40 -0.60\n',
  );
});

test('training-loop: the loss falls, and the weights are a safetensors file', async (t) => {
  const printed = await run('training-loop');
  const losses = numbersAfter('loss', printed);
  t.is(losses.length, 4);
  t.true(losses[0]! > 2.5 && losses[3]! < 0.4, printed);
  const file = /^weights: (.+)$/m.exec(printed)![1]!;
  t.teardown(() => fs.rmSync(file, {force: true}));
  const {tensors} = await readSafetensors(file);
  t.deepEqual([...tensors.keys()].sort(), ['head', 'letters', 'norm', 'up']);
  t.deepEqual(tensors.get('up')!.shape, [64, 48]);
});

test('contrastive: encoders from elsewhere learn from the gradients they are given', async (t) => {
  const printed = await run('contrastive');
  const losses = numbersAfter('loss', printed);
  t.true(losses[0]! > 3 && losses[3]! < 0.3, printed);
  t.regex(printed, /, 100 % find their translation\n$/);
});

test('tfjs: value and gradients are those of the loss in ops of tfjs, and an optimizer trains through it', async (t) => {
  const printed = await run('tfjs');
  t.regex(printed, /; values and gradients are the same\n/);
  const [, from, to] = /training through it: ([\d.]+) to ([\d.]+)/.exec(printed)!.map(Number);
  t.true(from! > 4 && to! < 0.5, printed);
});

test('alignment: LAC of vectors rises from chance to nearly 1', async (t) => {
  const printed = await run('alignment');
  const values = numbersAfter('LAC', printed);
  t.is(values.length, 3);
  t.true(values[0]! < 0.2 && values[2]! > 0.9, printed);
});

/** What the server tells. */
type RunEvent = TrainEvent | {readonly type: 'error'; readonly message: string};

/** Messages of a stream of server-sent events, as they come. */
async function* serverSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<RunEvent> {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) yield JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as RunEvent;
  }
}

/** The server, on a port that the system chooses. It ends with the test. */
async function startServer(
  t: ExecutionContext,
  config: string,
): Promise<{address: string; server: ChildProcess}> {
  const server = spawn(process.execPath, [path.join(programs, 'server.js'), config, '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => server.kill('SIGKILL'));
  const [address] = (await once(createInterface(server.stdout), 'line')) as [string];
  return {address, server};
}

test('server: a run tells its events, is stopped with a checkpoint, and goes on; its model is then aligned', async (t) => {
  const tsv = smallFiles['en-cs.tsv'].split('\n').slice(0, 40).join('\n');
  const settings = 'output: run\nevaluation: {pairs: 16, bootstrap: 20, samples: 0}\n';
  const yaml = smallYaml.replace('steps: 40', 'steps: 100000, checkpointEvery: 100000') + settings;
  const folder = await folderWith(t, {...smallFiles, 'train.yaml': yaml, 'test.tsv': `${tsv}\n`});
  const run = path.join(folder, 'run');
  const {address, server} = await startServer(t, path.join(folder, 'train.yaml'));
  const send = async (method: string, route: string): Promise<number> =>
    (await fetch(`${address}${route}`, {method})).status;

  t.is(await send('DELETE', '/train'), 409);
  t.is(await send('GET', '/elsewhere'), 404);
  t.is(await send('POST', '/train'), 202);
  t.is(await send('POST', '/train'), 409);
  const {body} = await fetch(`${address}/events`);
  const seen: RunEvent[] = [];
  let stopping: Promise<number> | undefined;
  for await (const event of serverSentEvents(body!)) {
    seen.push(event);
    if (event.type === 'step' && event.step >= 5) stopping ??= send('DELETE', '/train');
    if (event.type === 'end' || event.type === 'error') break;
  }
  t.is(await stopping, 200);
  const end = seen.at(-1);
  t.like(end, {type: 'end', reason: 'aborted'});
  t.is(seen[0]!.type, 'start');
  const checkpoint = seen.find((event) => event.type === 'checkpoint');
  t.is(checkpoint!.step, (end as {step: number}).step);

  // It goes on where it stopped; the server, told to end, ends the run first and leaves nothing running.
  t.is(await send('POST', '/train'), 202);
  const again = await fetch(`${address}/events`);
  for await (const event of serverSentEvents(again.body!))
    if (event.type === 'start') {
      t.is(event.resumedFrom, checkpoint!.step);
      break;
    }
  server.kill('SIGTERM');
  t.deepEqual(await once(server, 'exit'), [0, null]);

  const {stdout} = await promisify(execFile)(process.execPath, [
    path.join(programs, 'alignment.js'),
    run,
    'en',
    'cs',
    path.join(folder, 'test.tsv'),
  ]);
  t.regex(
    stdout,
    /^hidden state 0: LAC .*\nhidden state 1: LAC .*\nhidden state 2: LAC .*\nof \d+ pairs, fewPairs\n$/,
  );
});

test('tfjs in plain JavaScript keeps the array that it is given, and hands it out', (t) => {
  const array = Float32Array.of(1, 2, 3);
  t.is(tf.tensor(array).dataSync(), array);
});

const page = fs.readFileSync(path.join(root, 'docs/embedding.md'), 'utf8');

test('docs/embedding.md names each program', (t) => {
  for (const file of fs.readdirSync(sources)) t.true(page.includes(`(../examples/embedding/${file})`), file);
});

/** Lines of a program, without their indentation: an excerpt from inside a function stands at the margin. */
function flush(text: string): string {
  return text.replace(/^ +/gm, '');
}

for (const [index, [, excerpt]] of [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].entries())
  test(`docs/embedding.md excerpt ${index + 1} stands in one of the programs`, (t) => {
    const texts = fs.readdirSync(sources).map((file) => fs.readFileSync(path.join(sources, file), 'utf8'));
    t.true(
      texts.some((text) => flush(text).includes(flush(excerpt!))),
      excerpt,
    );
  });
