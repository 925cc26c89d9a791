import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {SuiteResults} from '../../lib/eval/index.js';
import {results} from '../eval/results.js';
import {temporaryFolder} from '../formats/folder.js';
import {crossmap} from './crossmap.js';

const files = ['mono-1.json', 'mono-2.json', 'full-1.json', 'full-2.json'];

/** A folder with `files`, in which full is better than mono. */
async function folderWithResults(t: ExecutionContext, declared: Partial<SuiteResults> = {}): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, skill] of [
    ['mono', 0],
    ['full', 0.4],
  ] as const)
    for (const seed of [1, 2])
      await writeFile(
        join(folder, `${name}-${seed}.json`),
        JSON.stringify({...results(name, seed, skill), ...declared}),
      );
  return folder;
}

test('compare tells the means of groups, and writes a page that loads nothing', async (t) => {
  const cwd = await folderWithResults(t);
  const {code, stdout, stderr} = await crossmap(
    ['compare', ...files, '--page', 'page.html', '--output', 'all.json'],
    {cwd},
  );
  t.deepEqual([stderr, code], ['', 0]);
  t.regex(stdout, /^task +measure +mono \(2\) +full \(2\)$/m);
  t.regex(stdout, /^lac +LAC \(crossmap definition\) +0\.200 \(.*\) +0\.600 \(.*\) better$/m);
  const page = await readFile(join(cwd, 'page.html'), 'utf8');
  t.deepEqual(
    JSON.parse(await readFile(join(cwd, 'all.json'), 'utf8')),
    JSON.parse((await crossmap(['compare', ...files, '--json'], {cwd})).stdout),
  );
  t.true(page.includes('<title>mono, full · crossmap comparison</title>'));
  t.false(page.includes('id="differences"'), 'nothing was declared to decide');
  t.notRegex(page, /(?:src|href)="(?!#|data:)/);
  const json = await crossmap(['compare', 'a=mono-1.json', 'b=full-1.json', '--json'], {cwd});
  const {comparisons} = JSON.parse(json.stdout) as {comparisons: {groups: {name: string}[]}[]};
  t.deepEqual(
    comparisons[0]?.groups.map(({name}) => name),
    ['a', 'b'],
  );
});

test('the page begins with what was declared to decide: a line for each run, with its interval', async (t) => {
  const cwd = await folderWithResults(t, {primary: ['p@1', 'chrf']});
  const {stdout} = await crossmap(['compare', ...files, '--page', 'page.html'], {cwd});
  t.regex(stdout, /^task.*\nlac +P@1, primary .* better\nnews +chrF2, primary .* better\n/);
  const page = await readFile(join(cwd, 'page.html'), 'utf8');
  t.true(page.indexOf('id="differences"') < page.indexOf('id="table"'));
  const [, section = ''] = /<section id="differences"([^]*?)<\/section>/.exec(page) ?? [];
  t.is(section.match(/class="chart bars intervals"/g)?.length, 2);
  t.is(section.match(/class="span"/g)?.length, 4, 'two measures of two runs of full');
  t.regex(section, /class="better">\+0\.\d+, better/);
});

test('compare refuses what holds no results', async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, 'a.json'), '{"format": "else"}');
  await writeFile(join(cwd, 'b.json'), 'no JSON');
  for (const [file, message] of [
    ['a.json', /^error ERR_FORMAT: a\.json holds no results of crossmap eval --suite --output: format: /],
    ['b.json', /^error ERR_FORMAT: b\.json holds no results .*: the file: /],
    ['none.json', /^error ERR_IO: none\.json cannot be read: /],
  ] as const) {
    const {code, stderr} = await crossmap(['compare', file], {cwd});
    t.is(code, 1);
    t.regex(stderr, message);
  }
});
