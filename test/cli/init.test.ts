import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {loadConfig} from '../../lib/config/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {crossmap} from './crossmap.js';

const bundled = fileURLToPath(new URL('../../../data/', import.meta.url));

test('what init writes for text that is there trains at once', async (t) => {
  const cwd = await temporaryFolder(t);
  const named = ['en', 'cs'].flatMap((code) => ['--text', `${code}=${join(bundled, `${code}.txt.gz`)}`]);
  const pairs = ['--pairs', `en-cs=${join(bundled, 'en-cs.tsv.gz')}`];
  const written = await crossmap(['init', ...named, ...pairs, '--size', 'tiny'], {cwd});
  t.deepEqual([written.code, written.stderr], [0, '']);
  t.regex(written.stdout, /^train\.yaml is written\n\nNext:\n/);
  const set = [
    'training.steps=3',
    'evaluation={every: 3, atStart: false, pairs: 8, textTokens: 256, bootstrap: 10, samples: 0}',
  ];
  const {code, stdout, stderr} = await crossmap(
    ['train', 'train.yaml', ...set.flatMap((each) => ['--set', each])],
    {cwd},
  );
  t.is(stderr, '');
  t.is(code, 0);
  t.regex(stdout, /^finished at step 3 after /m);
});

test('files are named as seen from the current folder, and those that are not there are told', async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'text'));
  await writeFile(join(cwd, 'text', 'en.txt'), 'A house.\n');
  const args = [
    'init',
    'configurations/mine.yaml',
    '--text',
    'en=text/en.txt',
    '--text',
    'pt-BR=text/pt.txt',
  ];
  const {code, stdout} = await crossmap([...args, '--pairs', 'en:pt-BR=a.en,a.pt'], {cwd});
  t.is(code, 0);
  t.regex(stdout, /^not there yet: text\/pt\.txt, a\.en, a\.pt$/m);
  const {data} = await loadConfig(join(cwd, 'configurations', 'mine.yaml'));
  t.deepEqual(
    data.monolingual?.map(({language, files}) => [language, ...files]),
    [
      ['en', join(cwd, 'text', 'en.txt')],
      ['pt-BR', join(cwd, 'text', 'pt.txt')],
    ],
  );
  t.deepEqual(data.parallel?.[0]?.files, [join(cwd, 'a.en'), join(cwd, 'a.pt')]);
});

test('a file that is there is replaced only with --force', async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, 'train.yaml'), 'mine\n');
  const refused = await crossmap(['init'], {cwd});
  t.deepEqual(
    [refused.code, refused.stdout, refused.stderr],
    [1, '', 'error ERR_ARGUMENT: init: train.yaml is there already; --force replaces it\n'],
  );
  t.is(await readFile(join(cwd, 'train.yaml'), 'utf8'), 'mine\n');
  t.is((await crossmap(['init', '--force'], {cwd})).code, 0);
  const {data} = await loadConfig(join(cwd, 'train.yaml'));
  t.deepEqual([data.monolingual?.length, data.parallel?.length], [2, 1]);
});

test('languages without files get names to be changed; - writes to standard output', async (t) => {
  const cwd = await temporaryFolder(t);
  const {code, stdout} = await crossmap(['init', '-', '--languages', 'uk,en,cs'], {cwd});
  t.is(code, 0);
  for (const line of ['{language: uk, files: text/uk.txt}', '{source: uk, target: cs, file: text/uk-cs.tsv}'])
    t.true(stdout.includes(`\n    - ${line}\n`), line);
});

for (const [args, message] of [
  [
    ['--text', 'cs'],
    "option '--text <language=file>' argument 'cs' is invalid. It must be a language and a file: cs=text.txt.",
  ],
  [
    ['--text', 'c s=x'],
    "option '--text <language=file>' argument 'c s=x' is invalid. It must be a language and a file: cs=text.txt.",
  ],
  [
    ['--pairs', 'en-pt-BR=x'],
    "option '--pairs <a-b=file>' argument 'en-pt-BR=x' is invalid. It must be two languages and one file or two: en-cs=pairs.tsv, or en:pt-BR=text.en,text.pt.",
  ],
  [
    ['--languages', 'en,,cs'],
    "option '--languages <codes>' argument 'en,,cs' is invalid. It must be language codes with commas between: en,cs,pt-BR.",
  ],
  [
    ['--size', 'huge'],
    "option '--size <name>' argument 'huge' is invalid. Allowed choices are tiny, small, base.",
  ],
  [
    ['--text', 'en=en.txt', '--pairs', 'en-cs=x.tsv'],
    'init: --pairs en-cs has cs, which has no text; give --text cs=file, or no --text at all',
  ],
] as const)
  test(`init ${args.join(' ')} says what would be right`, async (t) => {
    const cwd = await temporaryFolder(t);
    const {code, stdout, stderr} = await crossmap(['init', ...args], {cwd});
    t.true(code === 1 || code === 2);
    t.deepEqual([stdout, stderr], ['', `error ERR_ARGUMENT: ${message}\n`]);
  });
