import {appendFile, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import type {TrainEvent} from '../../lib/train/events.js';
import {openMetrics} from '../../lib/train/metrics.js';
import {temporaryFolder} from '../formats/folder.js';

const warning = (step: number): TrainEvent => ({type: 'warning', step, message: 'x'});
const line = (step: number): string => `${JSON.stringify(warning(step))}\n`;

test('events are lines; a continuation appends, a fresh run starts over', async (t) => {
  const path = join(await temporaryFolder(t), 'metrics.jsonl');
  for (const [fresh, step, wanted] of [
    [false, 1, line(1)],
    [false, 2, line(1) + line(2)],
    [true, 3, line(3)],
  ] as const) {
    const metrics = await openMetrics(path, {fresh});
    await metrics.write(warning(step));
    await metrics.close();
    t.is(await readFile(path, 'utf8'), wanted);
  }
});

test('what a killed run left of a line gets an end, so that the next event is whole', async (t) => {
  const path = join(await temporaryFolder(t), 'metrics.jsonl');
  await writeFile(path, line(1));
  await appendFile(path, '{"type":"st');
  const metrics = await openMetrics(path, {fresh: false});
  await metrics.write(warning(2));
  await metrics.close();
  t.is(await readFile(path, 'utf8'), `${line(1)}{"type":"st\n${line(2)}`);
});

test('a number that JSON does not have is null', async (t) => {
  const path = join(await temporaryFolder(t), 'metrics.jsonl');
  const metrics = await openMetrics(path, {fresh: true});
  await metrics.write({type: 'end', reason: 'aborted', step: 1, seconds: NaN, peakBytes: 0});
  await metrics.close();
  t.true((await readFile(path, 'utf8')).includes('"seconds":null'));
});

test('a file that cannot be written is named', async (t) => {
  const folder = await temporaryFolder(t);
  await t.throwsAsync(openMetrics(join(folder, 'missing', 'metrics.jsonl'), {fresh: true}), {
    code: 'ERR_IO',
    message: /^cannot write .*metrics\.jsonl: ENOENT/,
  });
  const metrics = await openMetrics(join(folder, 'metrics.jsonl'), {fresh: true});
  await metrics.close();
  await t.throwsAsync(metrics.write(warning(1)), {code: 'ERR_IO'});
});
