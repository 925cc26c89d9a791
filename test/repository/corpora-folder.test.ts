/** What `npm run corpora` writes and says: names of pairs, progress, and what it does where it cannot go on. */
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {loadScript, root} from './support.js';

interface Pair {
  readonly document: string;
  readonly english: string;
  readonly other: string;
}

interface Corpus {
  readonly inputs: readonly {readonly name: string; readonly sha256: string}[];
  readonly pairs: ReadonlyMap<string, readonly Pair[]>;
}

interface Package {
  readonly name: string;
  readonly members: readonly string[];
}

const {namePairs} = await loadScript<{
  namePairs: (pairs: ReadonlyMap<string, readonly Pair[]>) => Map<string, {id: string; english: string}[]>;
}>('scripts/corpora/name-pairs.mjs');
const {readPrepared} = await loadScript<{
  readPrepared: (folder: string, names: readonly string[]) => Promise<Corpus[]>;
}>('scripts/corpora/prepared.mjs');
const {stateOf} = await loadScript<{
  stateOf: (state: {done: number; total: number | undefined; unit: string; ms: number}) => string;
}>('scripts/corpora/progress.mjs');
const {unpackAll} = await loadScript<{
  unpackAll: (
    apt: {cache: string; fetch: () => Promise<void>; fileOf: (archive: {name: string}) => string},
    found: readonly {wanted: Package; archives: readonly {name: string; sha256: string; bytes: number}[]}[],
  ) => Promise<Map<Package, string>>;
}>('scripts/corpora/unpack.mjs');

function temporaryFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crossmap-corpora-'));
  t.teardown(() => fs.rmSync(folder, {recursive: true}));
  return folder;
}

function write(folder: string, file: string, lines: readonly string[]): void {
  fs.mkdirSync(path.dirname(path.join(folder, file)), {recursive: true});
  fs.writeFileSync(path.join(folder, file), gzipSync(lines.map((line) => `${line}\n`).join('')));
}

const [first, second] = ['The tree is very tall.', 'It rained all day.'];

test('a sentence has one name in all languages, wherever it stands and however it was split', (t) => {
  const named = namePairs(
    new Map([
      [
        'cs',
        [
          {document: 'a.xml', english: first, other: 'Strom je velmi vysoký.'},
          {document: 'a.xml', english: second, other: 'Celý den pršelo.'},
        ],
      ],
      [
        'de',
        [{document: 'a.xml', english: `${first} ${second}`, other: 'Der Baum ist hoch, und es regnete.'}],
      ],
      ['uk', [{document: 'a.xml', english: second, other: 'Весь день ішов дощ.'}]],
    ]),
  );
  const ids = (language: string): string[] => (named.get(language) ?? []).map(({id}) => id);
  t.regex(ids('cs')[0] ?? '', /^a\.xml#[0-9a-f]{12}$/);
  t.is(ids('uk')[0], ids('cs')[1]);
  t.false(ids('cs').includes(ids('de')[0] ?? ''));
});

test('a sentence stands in the document that another language knows', (t) => {
  const named = namePairs(
    new Map([
      ['cs', [{document: '', english: first, other: 'Strom je velmi vysoký.'}]],
      ['de', [{document: 'a.xml', english: first, other: 'Der Baum ist sehr hoch.'}]],
      ['uk', [{document: '', english: second, other: 'Весь день ішов дощ.'}]],
    ]),
  );
  t.is(named.get('cs')?.[0]?.id, named.get('de')?.[0]?.id);
  t.regex(named.get('uk')?.[0]?.id ?? '', /^#[0-9a-f]{12}$/);
});

test('names are unique: a second translation has a number, another document another name', (t) => {
  const pair = {document: 'a.xml', english: first, other: 'Strom je velmi vysoký.'};
  const pairs = [pair, {...pair, other: 'Ten strom je velmi vysoký.'}, {...pair, document: 'b.xml'}];
  const ids = namePairs(new Map([['cs', pairs]]))
    .get('cs')
    ?.map(({id}) => id.replace(/[0-9a-f]{12}/, 'HASH'));
  t.deepEqual(ids, ['a.xml#HASH', 'a.xml#HASH.2', 'b.xml#HASH']);
});

test('prepared corpora without names join across languages and formats', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, 'moses/installation-guide.en-cs.en.gz', [first, second]);
  write(folder, 'moses/installation-guide.en-cs.cs.gz', ['Strom je velmi vysoký.', 'Celý den pršelo.']);
  write(folder, 'tsv/installation-guide.en-uk.tsv.gz', ['en\tuk', `${second}\tВесь день ішов дощ.`]);
  write(folder, 'tsv/installation-guide.en-de.tsv.gz', [
    'id\ten\tde',
    `a.xml#7.0\t${second}\tEs regnete den ganzen Tag.`,
  ]);
  const [corpus] = await readPrepared(folder, ['installation-guide']);
  const named = namePairs(corpus?.pairs ?? new Map());
  const ids = ['cs', 'de', 'uk'].map(
    (language) => named.get(language)?.find((row) => row.english === second)?.id,
  );
  t.regex(ids[0] ?? '', /^a\.xml#/);
  t.deepEqual(ids, [ids[0], ids[0], ids[0]]);
});

for (const [state, text] of [
  [{done: 0, total: 526e6, unit: 'MB', ms: 0}, '0 of 526 MB'],
  [{done: 100e6, total: 400e6, unit: 'MB', ms: 10_000}, '100 of 400 MB, 30 s left'],
  [{done: 1, total: 9, unit: 'languages', ms: 60_000}, '1 of 9 languages, 8 min left'],
  [{done: 12.4e6, total: undefined, unit: 'MB', ms: 1000}, '12 MB'],
] as const)
  test(`progress says ${text}`, (t) => t.is(stateOf(state), text));

test('an archive that is no archive is told, and leaves no folder', async (t) => {
  const cache = temporaryFolder(t);
  const wanted = {name: 'tool', members: ['*.po']};
  const archive = {name: 'tool_1.tar.xz', sha256: '0'.repeat(64), bytes: 9};
  const apt = {cache, fetch: async () => {}, fileOf: () => path.join(cache, archive.name)};
  fs.writeFileSync(path.join(cache, archive.name), 'no archive');
  await t.throwsAsync(unpackAll(apt, [{wanted, archives: [archive]}]), {
    message: /^corpora: .*tool_1\.tar\.xz could not be unpacked \(status \d+\)/,
  });
  t.deepEqual(fs.readdirSync(path.join(cache, 'unpacked')), []);
});

/** Ends with its status and what it says. */
async function runCorpora(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{code: unknown; stderr: string}> {
  const script = path.join(root, 'scripts/corpora/main.mjs');
  try {
    const {stderr} = await promisify(execFile)(process.execPath, [script, ...args], {env});
    return {code: 0, stderr};
  } catch (error) {
    return error as {code: unknown; stderr: string};
  }
}

for (const [args, message] of [
  [[], 'corpora: --output FOLDER is missing'],
  [['--output', 'OUT', '--only', 'wesnoth,klingon'], 'corpora: --only klingon is not a corpus; there are '],
  [['--output', 'OUT', '--languages', 'cs'], "corpora: Unknown option '--languages'"],
  [['--output', 'OUT', '--from', 'gone'], 'corpora: --from gone does not exist'],
  [['--output', 'OUT', '--from', 'gone', '--packages'], 'corpora: --from and --packages are two ways'],
  [['--output', 'FULL'], 'holds other files, and no sources.json of an earlier run'],
  [['--output', 'OUT', '--packages', '--cache', 'FULL/notes.txt'], 'corpora: E'],
] as const)
  test(`corpora ${args.join(' ')} ends with 1 and says why`, async (t) => {
    const folder = temporaryFolder(t);
    fs.mkdirSync(path.join(folder, 'FULL'));
    fs.writeFileSync(path.join(folder, 'FULL/notes.txt'), '');
    const placed = args.map((arg) => (/^(?:OUT|FULL)/.test(arg) ? path.join(folder, arg) : arg));
    const {code, stderr} = await runCorpora(placed);
    t.is(code, 1);
    t.true(stderr.includes(message), stderr);
    t.notRegex(stderr, /\n\s+at /);
    t.deepEqual(fs.readdirSync(folder), ['FULL']);
  });

test('without the programs of Debian nothing is begun, and what is missing is named', async (t) => {
  const folder = temporaryFolder(t);
  const cache = path.join(folder, 'cache');
  const args = ['--output', path.join(folder, 'out'), '--packages', '--cache', cache];
  const {code, stderr} = await runCorpora(args, {PATH: folder});
  t.is(code, 1);
  t.regex(stderr, /corpora: apt-get, dpkg-deb, tar, xz.* not on this system.*--from FOLDER/);
  t.deepEqual(fs.readdirSync(cache), []);
  t.false(fs.existsSync(path.join(folder, 'out')));
});
