import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {describeOptions} from '../../lib/config/index.js';
import {version} from '../../lib/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {crossmap} from './crossmap.js';
import {told} from './told.js';

const commands = [
  'demo',
  'init',
  'data',
  'train',
  'eval',
  'generate',
  'translate',
  'import',
  'export',
  'info',
  'bench',
];

test('help lists the commands and shows examples', async (t) => {
  const {code, stdout, stderr} = await crossmap(['--help']);
  t.is(code, 0);
  t.is(stderr, '');
  for (const command of commands) t.regex(stdout, new RegExp(`^ {2}${command} `, 'm'));
  t.true(stdout.includes('Examples:\n  crossmap demo '));
});

for (const command of commands)
  test(`${command} --help explains it, with an example unless there is nothing to choose`, async (t) => {
    const {code, stdout} = await told([command, '--help']);
    t.is(code, 0);
    t.true(stdout.startsWith(`Usage: crossmap ${command} [options]`));
    t.true(new RegExp(`\n {2}crossmap ${command}\\b`).test(stdout) || command === 'info');
  });

test('train --help lists every option of a configuration', async (t) => {
  const {stdout} = await told(['train', '--help']);
  for (const {path} of describeOptions()) t.true(stdout.includes(`\n  ${path} `), path);
});

test('the version is that of the package', async (t) => {
  t.like(await told(['--version']), {code: 0, stdout: `${version}\n`, stderr: ''});
});

test('without a command the help is printed and the exit code says so', async (t) => {
  const {code, stderr} = await told([]);
  t.is(code, 2);
  t.true(stderr.startsWith('Usage: crossmap'));
  t.false(stderr.includes('error'));
});

test('a mistake in the command line is one line on standard error and exit code 2', async (t) => {
  t.deepEqual(await crossmap(['trian']), {
    code: 2,
    signal: null,
    stdout: '',
    stderr: "error ERR_ARGUMENT: unknown command 'trian' (Did you mean train?)\n",
  });
});

test('mistakes name what was meant', async (t) => {
  const folder = await temporaryFolder(t);
  const [config, near] = ['train.yaml', 'trian.yaml'].map((name) => join(folder, name)) as [string, string];
  await writeFile(config, 'data: {monolingual: [{language: cs, files: cs.txt}]}\n');
  for (const [args, message] of [
    [['train', 'x.yaml', '--sett'], "ERR_ARGUMENT: unknown option '--sett' (Did you mean --set?)"],
    [['train'], "ERR_ARGUMENT: missing required argument 'config'"],
    [
      ['train', 'x.yaml', '--fresh', '--resume'],
      "ERR_ARGUMENT: option '--fresh' cannot be used with option '--resume'",
    ],
    [['train', near], `ERR_CONFIG: configuration ${near} does not exist; did you mean ${config}?`],
    [
      ['data', join(folder, 'a', 'x.yaml')],
      `ERR_CONFIG: configuration ${join(folder, 'a', 'x.yaml')} does not exist`,
    ],
    [
      ['train', config, '--set', 'model.layres=2', '--set', 'objectives.recipe=mono'],
      'ERR_CONFIG: --set model.layres: model.layres is not an option; did you mean layers?',
    ],
    [
      ['generate', 'run', '--temperature', 'hot'],
      "ERR_ARGUMENT: option '--temperature <x>' argument 'hot' is invalid. It must be a number, 0 or more.",
    ],
    [
      ['generate', 'run', '--top-k', '0'],
      "ERR_ARGUMENT: option '--top-k <n>' argument '0' is invalid. It must be a whole number, 1 or more.",
    ],
    [
      ['generate', 'run', '--top-p', '1.5'],
      "ERR_ARGUMENT: option '--top-p <share>' argument '1.5' is invalid. It must be a number above 0, at most 1.",
    ],
    [
      ['generate', 'run', '--device', 'tpu'],
      "ERR_ARGUMENT: option '--device <name>' argument 'tpu' is invalid. Allowed choices are cpu, cuda, simt.",
    ],
    ...(['eval', 'generate', 'translate', 'lac'] as const).map(
      (command) =>
        [
          [command, 'run', '--threads', 'nan'],
          "ERR_ARGUMENT: option '--threads <n>' argument 'nan' is invalid. It must be auto, or a whole number, 1 or more.",
        ] as const,
    ),
    [['translate', 'run', '--to', 'cs'], "ERR_ARGUMENT: required option '--from <code>' not specified"],
  ] as const)
    t.deepEqual(await told(args), {code: 2, signal: null, stdout: '', stderr: `error ${message}\n`});
});

test('a run that is not there is an error with exit code 1; --debug tells where it arose', async (t) => {
  const folder = await temporaryFolder(t);
  const line =
    'error ERR_CHECKPOINT: nowhere does not exist; give the output folder of a run, or one of its checkpoints\n';
  t.like(await crossmap(['eval', 'nowhere'], {cwd: folder}), {code: 1, stderr: line});
  const {stderr} = await crossmap(['eval', 'nowhere', '--debug'], {cwd: folder});
  t.true(stderr.startsWith(line));
  t.regex(stderr, /\n {4}at .*checkpoint-list/);
});

test('info tells what this installation is, as lines and as JSON', async (t) => {
  const {code, stdout} = await crossmap(['info', '--json']);
  t.is(code, 0);
  const info = JSON.parse(stdout) as {addon: {devices: {name: string}[]; noCuda?: string; plans: unknown[]}};
  t.like(info, {crossmap: version, node: process.versions.node});
  const names = info.addon.devices.map(({name}) => name);
  t.true(names.includes('cpu'));
  t.is(info.addon.noCuda === undefined, names.includes('cuda'));
  const lines = (await crossmap(['info'])).stdout;
  const rows = ['crossmap', 'node', 'system', 'addon', 'instruction set', 'threads'];
  for (const name of [...rows, ...names.map((each) => `device ${each}`)])
    t.regex(lines, new RegExp(`^${name} +\\S`, 'm'));
  if (info.addon.noCuda !== undefined) t.true(lines.includes(`not used: ${info.addon.noCuda}\n`));
});

test('info of the emulated GPU tells what it emulates', async (t) => {
  const {code, stdout} = await crossmap(['info', '--device', 'simt'], {env: {CROSSMAP_ADDON: ''}});
  t.is(code, 0);
  t.regex(stdout, /^device simt +.*compute capability 8\.0, \d+ multiprocessors/m);
});
