import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {writeReport} from '../../lib/report/index.js';
import {eventSchema} from '../../lib/report/event-schema.js';
import {exampleConfig, syntheticRun} from './synthetic.js';

const demo = syntheticRun({steps: 30, evaluateEvery: 10});
const lines = demo.map((event) => JSON.stringify(event));

async function inRun(
  files: Record<string, string>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'crossmap-report-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    await use(directory);
  } finally {
    await rm(directory, {recursive: true});
  }
}

test('the report is written from metrics and configuration, and nothing else is left behind', async (t) => {
  const files = {'metrics.jsonl': `${lines.join('\n')}\n`, 'config.json': JSON.stringify(exampleConfig)};
  await inRun(files, async (directory) => {
    const path = await writeReport(directory);
    t.is(path, join(directory, 'report.html'));
    const page = await readFile(path, 'utf8');
    t.regex(page, /demo-8-languages/);
    t.regex(page, /rope\.theta/);
    t.notRegex(page, /could not be read/);
    t.deepEqual((await readdir(directory)).sort(), ['config.json', 'metrics.jsonl', 'report.html']);
    t.is(await writeReport(directory), path);
  });
});

test('a cut last line is left out in silence, and without config.json there is a report', async (t) => {
  await inRun({'metrics.jsonl': `${lines.join('\n')}\n${lines[5]!.slice(0, 40)}`}, async (directory) => {
    const page = await readFile(await writeReport(directory), 'utf8');
    t.regex(page, /30 of 30 steps/);
    t.regex(page, /No configuration was saved/);
    t.notRegex(page, /could not be read/);
  });
});

test('lines in the middle that are no events are counted', async (t) => {
  const broken = [lines[0], '{"type":"step","st', '{"type":"other"}', ...lines.slice(1)];
  await inRun({'metrics.jsonl': broken.join('\n')}, async (directory) => {
    t.regex(
      await readFile(await writeReport(directory), 'utf8'),
      /2 lines of metrics\.jsonl could not be read/,
    );
  });
});

test('every event comes back from its line as it was', (t) => {
  for (const event of demo) t.deepEqual(eventSchema.parse(JSON.parse(JSON.stringify(event))), event);
});

test('a value that JSON could not hold comes back as NaN', (t) => {
  const step = demo.find(({type}) => type === 'step')!;
  const line = JSON.stringify({...step, loss: NaN, losses: {next: Infinity}});
  t.like(eventSchema.parse(JSON.parse(line)), {loss: NaN, losses: {next: NaN}});
});

test('a directory without metrics is an error that names the file', async (t) => {
  await inRun({}, async (directory) => {
    const path = join(directory, 'metrics.jsonl');
    await t.throwsAsync(writeReport(directory), {
      code: 'ERR_IO',
      message: `writeReport: ${path} cannot be read: ENOENT: no such file or directory, stat '${path}'`,
    });
  });
});

test('metrics without an event are an error', async (t) => {
  await inRun({'metrics.jsonl': '\n{"type":'}, async (directory) => {
    await t.throwsAsync(writeReport(directory), {
      code: 'ERR_DATA',
      message: `writeReport: ${join(directory, 'metrics.jsonl')} holds no event of a training run`,
    });
  });
});

test('a configuration that is not JSON is an error that names the file', async (t) => {
  await inRun({'metrics.jsonl': lines.join('\n'), 'config.json': '{'}, async (directory) => {
    const error = await t.throwsAsync(writeReport(directory), {code: 'ERR_FORMAT'});
    t.true(error.message.startsWith(`writeReport: ${join(directory, 'config.json')} is not JSON: `));
  });
});

test('a configuration that cannot be read is an error', async (t) => {
  await inRun({'metrics.jsonl': lines.join('\n')}, async (directory) => {
    await mkdir(join(directory, 'config.json'));
    await t.throwsAsync(writeReport(directory), {
      code: 'ERR_IO',
      message: /config\.json cannot be read: EISDIR/,
    });
  });
});

test('a report that cannot be written is an error and leaves no temporary file', async (t) => {
  await inRun({'metrics.jsonl': lines.join('\n')}, async (directory) => {
    await mkdir(join(directory, 'report.html'));
    await t.throwsAsync(writeReport(directory), {
      code: 'ERR_IO',
      message: /report\.html cannot be written: EISDIR/,
    });
    t.deepEqual((await readdir(directory)).sort(), ['metrics.jsonl', 'report.html']);
  });
});
