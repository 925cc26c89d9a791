import {appendFile, copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type TestFn} from 'ava';
import type {EvaluationEvent, TrainEvent} from '../../lib/train/index.js';
import {tinyYaml, writeCorpus} from '../train/tiny-run.js';
import {crossmap, type Finished} from './crossmap.js';

interface Context {
  /** Has tiny.yaml, its corpus, and a finished run in `runs/tiny`. */
  readonly folder: string;
  readonly trained: Finished;
}

const test = anyTest as TestFn<Context>;
let context: Context | undefined;

test.before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crossmap-cli-'));
  await writeCorpus(folder);
  await writeFile(join(folder, 'tiny.yaml'), tinyYaml);
  context = {folder, trained: await crossmap(['train', 'tiny.yaml'], {cwd: folder})};
});

test.beforeEach((t) => {
  t.context = context!;
});

test.after.always(async () => {
  if (context) await rm(context.folder, {recursive: true, force: true});
});

test('train shows the course of the run and what it gained, and leaves a report', async (t) => {
  const {folder, trained} = t.context;
  t.is(trained.stderr, '');
  t.is(trained.code, 0);
  for (const part of [
    'training the tokenizer\n',
    /^tiny: [\d.]+ k parameters, cpu, float32, cs en$/m,
    /^12 steps into .*runs\/tiny$/m,
    /^step 1 {2}loss /m,
    /^evaluation at step 12 in /m,
    /^checkpoint at step 12 in /m,
    /^finished at step 12 after /m,
    /^loss next +\d/m,
    /^loss mapping +\d/m,
    /^bits per byte, mean over languages +\d/m,
    /^report: .*runs\/tiny\/report\.html$/m,
  ])
    t.true(
      typeof part === 'string' ? trained.stdout.includes(part) : part.test(trained.stdout),
      String(part),
    );
  const report = await readFile(join(folder, 'runs', 'tiny', 'report.html'), 'utf8');
  t.true(report.includes('crossmap training report') && report.includes('finished'));
});

test('a device that is not here is refused before anything is read, with the reason', async (t) => {
  const {folder: cwd} = t.context;
  const env = {CROSSMAP_ADDON: '', CROSSMAP_DEVICE: ''};
  const {addon} = JSON.parse((await crossmap(['info', '--json'], {env})).stdout) as {
    addon: {noCuda?: string};
  };
  if (addon.noCuda === undefined) {
    t.pass('there is a GPU');
    return;
  }
  const args = ['train', 'tiny.yaml', '--device', 'cuda', '--set', 'output=runs/none'];
  const {code, stdout, stderr} = await crossmap(args, {cwd, env});
  t.deepEqual([code, stdout], [1, '']);
  t.regex(stderr, /^error ERR_DEVICE: device cuda does not exist here: \S.*; there is cpu/);
});

test('lac measures a run on sentence pairs of the user, layer by layer, and compares two runs', async (t) => {
  const {folder: cwd} = t.context;
  const pairs = Array.from({length: 40}, (_, i) => `sentence ${i} of water\tvěta ${i} o vodě\n`);
  await writeFile(join(cwd, 'test.tsv'), pairs.join(''));
  const args = ['--from', 'en', '--to', 'cs', '--pairs', 'test.tsv', '--draws', '50'];
  const one = await crossmap(['lac', 'runs/tiny', ...args], {cwd});
  t.deepEqual([one.stderr, one.code], ['', 0]);
  t.regex(one.stdout, /^runs\/tiny: en-cs, 40 pairs$/m);
  t.regex(one.stdout, /^LAC \(crossmap definition\) -?\d\.\d+ \(-?\d.* to .*\), at the best layer /m);
  t.regex(one.stdout, /^note: fewer than 100 pairs/m);
  t.regex(one.stdout, /^hidden state +LAC +95 % interval/m);
  const two = await crossmap(['lac', 'runs/tiny', 'runs/tiny', ...args, '--json'], {cwd});
  const {alignments, difference} = JSON.parse(two.stdout) as {
    alignments: {lac: number}[];
    difference: object;
  };
  t.is(alignments[0]?.lac, alignments[1]?.lac);
  const none = {difference: 0, interval: [0, 0], better: 'undecided'};
  t.deepEqual(difference, {...none, precisionAt1: none, marginError: none});
  const shown = await crossmap(['lac', 'runs/tiny', 'runs/tiny', ...args], {cwd});
  t.regex(shown.stdout, /^second less first +difference +95 % interval +better$/m);
  for (const measure of ['LAC', 'P@1', 'margin error'])
    t.regex(shown.stdout, new RegExp(`^${measure} +0\\.000 +0\\.000 to 0\\.000 +undecided$`, 'm'));
});

test.serial('eval measures the tasks of a suite, and writes what it found', async (t) => {
  const {folder: cwd} = t.context;
  const pairs = Array.from({length: 20}, (_, i) => `sentence ${i} of water\tvěta ${i} o vodě\n`);
  await writeFile(join(cwd, 'suite.tsv'), pairs.join(''));
  await writeFile(
    join(cwd, 'suite.yaml'),
    'draws: 20\ntasks:\n  - {type: translation, source: en, target: cs, file: suite.tsv, limit: 3}\n  - {type: alignment, name: aligned, source: en, target: cs, file: suite.tsv}\n',
  );
  const args = ['eval', 'runs/tiny', '--suite', 'suite.yaml', '--output', 'results.json'];
  const {code, stdout, stderr} = await crossmap(args, {cwd});
  t.deepEqual([stderr, code], ['', 0]);
  t.regex(stdout, /^translation en-cs: BLEU \d+\.\d+ ± \d.*chrF2\+\+ \d.*, 3 sentences$/m);
  t.regex(stdout, /^ {2}BLEU\|nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:crossmap-/m);
  t.regex(stdout, /^aligned: en-cs, 20 pairs$/m);
  const written = JSON.parse(await readFile(join(cwd, 'results.json'), 'utf8')) as {tasks: {name: string}[]};
  t.deepEqual(
    written.tasks.map(({name}) => name),
    ['translation en-cs', 'aligned'],
  );
  const [trained] = (await readFile(join(cwd, 'en-cs.tsv'), 'utf8')).split('\n').slice(-2);
  await writeFile(join(cwd, 'suite.tsv'), `${pairs.join('')}${trained}\n`);
  const refused = await crossmap(['eval', 'runs/tiny', '--suite', 'suite.yaml'], {cwd});
  t.is(refused.code, 1);
  t.regex(
    refused.stderr,
    /^error ERR_DATA: tasks\[1\]: the model was trained on 1 of 21 items, for example ".+"; overlap: drop /,
  );
  await rename(join(cwd, 'runs/tiny/data'), join(cwd, 'runs/tiny/away'));
  const unchecked = await crossmap(['eval', 'runs/tiny', '--suite', 'suite.yaml'], {cwd});
  await rename(join(cwd, 'runs/tiny/away'), join(cwd, 'runs/tiny/data'));
  t.is(unchecked.code, 0);
  t.regex(unchecked.stderr, /^not checked for text of the training: .*data is not there any more\n$/);
  const bad = await crossmap(['eval', 'runs/tiny', '--suite', 'suite.yaml', '--set', 'seed=1'], {cwd});
  t.regex(bad.stderr, /--set has no meaning with --suite/);
});

test('lac says what it needs', async (t) => {
  const {folder: cwd} = t.context;
  for (const [args, message] of [
    [[], /^error ERR_ARGUMENT: one run or file of embeddings is needed, or two to compare; got 0/],
    [['runs/tiny'], /^error ERR_ARGUMENT: --pairs is needed/],
    [
      ['runs/tiny', '--pairs', 'none.tsv', '--from', 'en', '--to', 'cz'],
      /--to cz is no language of the model; did you mean cs/,
    ],
    [
      ['runs/tiny', '--pairs', 'none.tsv', '--from', 'en', '--to', 'cs'],
      /none\.tsv does not exist; --pairs names it/,
    ],
    [['--embeddings', 'none.safetensors'], /^error ERR_IO: /],
  ] as const) {
    const {code, stderr} = await crossmap(['lac', ...args], {cwd});
    t.not(code, 0);
    t.regex(stderr, message);
  }
});

test('data tells what was read, as tables and as JSON', async (t) => {
  const {folder: cwd} = t.context;
  const {code, stdout} = await crossmap(['data', 'tiny.yaml'], {cwd});
  t.is(code, 0);
  t.regex(stdout, /^language +documents/m);
  t.regex(stdout, /^en-cs +120/m);
  t.regex(stdout, /^prepared data: .*runs\/tiny\/data$/m);
  const report = JSON.parse((await crossmap(['data', 'tiny.yaml', '--json'], {cwd})).stdout) as {
    languages: unknown[];
  };
  t.is(report.languages.length, 2);
});

test('eval measures what training measured at that step', async (t) => {
  const {folder: cwd} = t.context;
  const {code, stdout} = await crossmap(['eval', 'runs/tiny', '--json'], {cwd});
  t.is(code, 0);
  const found = JSON.parse(stdout) as EvaluationEvent;
  const metrics = (await readFile(join(cwd, 'runs/tiny/metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  const events = metrics.map((line) => JSON.parse(line) as TrainEvent);
  const told = events.findLast((event) => event.type === 'evaluation');
  t.deepEqual({...found, seconds: 0}, {...told, seconds: 0});
  const older = await crossmap(['eval', 'runs/tiny/checkpoints/step-000010', '--set', 'evaluation.pairs=0'], {
    cwd,
  });
  t.regex(older.stdout, /^evaluation at step 10 in .*\n {2}perplexity: cs [\d.]+, en [\d.]+\n/);
  t.false(older.stdout.includes('LAC'));
  t.like(await crossmap(['eval', 'runs/tiny', '--set', 'model.layers=3'], {cwd}), {
    code: 1,
    stderr: 'error ERR_ARGUMENT: --set model.layers=3: eval can change options of evaluation alone\n',
  });
});

test('eval refuses text that has changed since the training', async (t) => {
  const {folder: cwd} = t.context;
  const args = ['train', 'changed.yaml', '--set', 'training.steps=1', '--set', 'training.warmupSteps=0'];
  await writeFile(join(cwd, 'changed.yaml'), tinyYaml.replace('cs.txt', 'changing.txt'));
  await copyFile(join(cwd, 'cs.txt'), join(cwd, 'changing.txt'));
  t.is((await crossmap([...args, '--set', 'evaluation.atStart=false'], {cwd})).code, 0);
  await appendFile(join(cwd, 'changing.txt'), 'a new line\n');
  const {code, stderr} = await crossmap(['eval', 'runs/changed'], {cwd});
  t.is(code, 1);
  t.regex(stderr, /error ERR_DATA: the text has changed since the model was trained: /);
});

test('a run whose output nobody reads any more saves and stops', async (t) => {
  const {folder: cwd} = t.context;
  const args = ['train', 'tiny.yaml', '--set', 'output=unread', '--set', 'training.steps=100000'];
  const {code} = await crossmap([...args, '--set', 'training.checkpointEvery=100000', '--json'], {
    cwd,
    onOutput: (piece, child) => {
      if (piece.includes('"step":3,')) child.stdout.destroy();
    },
  });
  t.is(code, 143);
  t.regex((await readdir(join(cwd, 'unread', 'checkpoints'))).join(), /^step-\d{6}$/);
});

test('generate continues a text; a seed gives the same text, greedy needs none', async (t) => {
  const {folder: cwd} = t.context;
  const args = ['generate', 'runs/tiny', '--language', 'en', '--max-tokens', '8'];
  const first = await crossmap([...args, 'house'], {cwd});
  t.like(first, {code: 0, stderr: ''});
  t.true(first.stdout.startsWith('house') && first.stdout.length > 'house\n'.length);
  t.is((await crossmap(args, {cwd, input: 'house\n'})).stdout, first.stdout);
  // What is shown piece by piece, characters held back until all their bytes are there, is the whole in the end.
  const whole = JSON.parse((await crossmap([...args, 'house', '--json'], {cwd})).stdout) as {output: string};
  t.is(first.stdout, `house${whole.output}\n`);
  t.not((await crossmap([...args, 'house', '--seed', '2'], {cwd})).stdout, first.stdout);
  const greedy = [...args, '--json', '--temperature', '0', '--top-k', '5', '--top-p', '0.9', 'house'];
  const answer = JSON.parse((await crossmap(greedy, {cwd})).stdout) as {
    prompt: string;
    output: string;
    tokens: number;
  };
  t.like(answer, {prompt: 'house', language: 'en'});
  t.true(answer.tokens <= 8);
});

test('translate gives a line for a line', async (t) => {
  const {folder: cwd} = t.context;
  const args = ['translate', 'runs/tiny', '--from', 'en', '--to', 'cs'];
  const one = await crossmap([...args, 'house and tree.'], {cwd});
  t.like(one, {code: 0, stderr: ''});
  t.is(one.stdout.split('\n').length, 2);
  const lines = await crossmap([...args, '--max-tokens', '4'], {cwd, input: 'house and tree.\n\nold dog.'});
  t.is(lines.stdout.split('\n').length, 4);
  t.is(lines.stdout.split('\n')[1], '');
  const long = 'house and tree and river and dog and bird and '.repeat(4);
  const partly = await crossmap([...args, '--max-tokens', '4'], {cwd, input: `${long}\nold dog.\n`});
  t.is(partly.code, 0);
  t.is(partly.stdout, `\n${lines.stdout.split('\n')[2]}\n`);
  t.regex(partly.stderr, /^line 1 is left empty: .*context/);
  t.like(await crossmap([...args, long], {cwd}), {code: 1, stdout: ''});
  const json = await crossmap([...args, '--json', 'house and tree.'], {cwd});
  t.deepEqual(JSON.parse(json.stdout), {
    source: 'en',
    target: 'cs',
    input: 'house and tree.',
    output: one.stdout.slice(0, -1),
  });
});

test('a language that the model does not have is told with those it has', async (t) => {
  const {folder: cwd} = t.context;
  t.like(await crossmap(['generate', 'runs/tiny', 'house'], {cwd}), {
    code: 1,
    stderr: 'error ERR_ARGUMENT: --language is needed: the model has cs, en\n',
  });
  t.like(await crossmap(['translate', 'runs/tiny', 'x', '--from', 'en', '--to', 'cz'], {cwd}), {
    code: 1,
    stderr:
      'error ERR_ARGUMENT: --to cz is no language of the model; did you mean cs? (the model has cs, en)\n',
  });
});

test('Ctrl-C saves and stops, and the next run goes on; its events can be JSON lines', async (t) => {
  const {folder: cwd} = t.context;
  const args = ['train', 'tiny.yaml', '--set', 'output=stopped', '--json'];
  const many = ['--set', 'training.steps=100000', '--set', 'training.warmupSteps=2'];
  const stopped = await crossmap([...args, ...many], {
    cwd,
    onOutput: (piece, child) => {
      if (piece.includes('"step":3,')) child.kill('SIGINT');
    },
  });
  t.is(stopped.code, 130);
  t.true(stopped.stderr.startsWith('stopping, with the state saved first'));
  const events = stopped.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TrainEvent);
  const end = events.at(-1)!;
  t.like(end, {type: 'end', reason: 'aborted'});
  const step = 'step' in end ? end.step : NaN;
  const last = await crossmap([...args, '--resume', '--set', `training.steps=${step + 1}`], {cwd});
  t.is(last.code, 0);
  t.like(JSON.parse(last.stdout.split('\n')[0]!), {type: 'start', resumedFrom: step});
  t.regex(last.stdout, /"reason":"finished"/);
});

test('a second interrupt quits at once, without waiting for the step and the checkpoint', async (t) => {
  const {folder: cwd} = t.context;
  const args = ['train', 'tiny.yaml', '--set', 'output=quit', '--set', 'training.steps=100000'];
  const {code, stdout} = await crossmap(args, {
    cwd,
    onOutput: (piece, child) => {
      if (!piece.includes('step 1 ')) return;
      child.kill('SIGINT');
      child.kill('SIGTERM');
    },
  });
  // Two signals sent at once arrive in any order; the first one gives the code.
  t.true(code === 130 || code === 143, `exit code ${code}`);
  t.true(stdout.includes('once more quits at once'));
  t.false(stdout.includes('state saved, at'));
});

test('a run that fails tells why, with exit code 1, and leaves its report', async (t) => {
  const {folder: cwd} = t.context;
  const args = [
    '--set',
    'output=diverged',
    '--set',
    'training.learningRate=1e9',
    '--set',
    'training.clipNorm=off',
  ];
  const {code, stderr} = await crossmap(['train', 'tiny.yaml', ...args], {cwd});
  t.is(code, 1);
  t.regex(stderr, /^error ERR_DIVERGED: training diverged at step \d+: /);
  t.true((await readFile(join(cwd, 'diverged', 'report.html'), 'utf8')).includes('not finished'));
});
