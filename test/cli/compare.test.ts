import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {results} from '../eval/results.js';
import {temporaryFolder} from '../formats/folder.js';
import {crossmap} from './crossmap.js';

test('compare tells the means of groups, and writes a page that loads nothing', async (t) => {
  const cwd = await temporaryFolder(t);
  for (const [name, seed, skill] of [
    ['mono', 1, 0],
    ['mono', 2, 0],
    ['full', 1, 0.4],
    ['full', 2, 0.4],
  ] as const)
    await writeFile(join(cwd, `${name}-${seed}.json`), JSON.stringify(results(name, seed, skill)));
  const files = ['mono-1.json', 'mono-2.json', 'full-1.json', 'full-2.json'];
  const {code, stdout, stderr} = await crossmap(['compare', ...files, '--page', 'page.html'], {cwd});
  t.deepEqual([stderr, code], ['', 0]);
  t.regex(stdout, /^task +measure +mono \(2\) +full \(2\)$/m);
  t.regex(stdout, /^lac +LAC \(crossmap definition\) +0\.200 \(.*\) +0\.600 \(.*\) better$/m);
  const page = await readFile(join(cwd, 'page.html'), 'utf8');
  t.true(page.includes('<title>mono, full · crossmap comparison</title>'));
  t.notRegex(page, /(?:src|href)="(?!#|data:)/);
  const json = await crossmap(['compare', 'a=mono-1.json', 'b=full-1.json', '--json'], {cwd});
  const {comparisons} = JSON.parse(json.stdout) as {comparisons: {groups: {name: string}[]}[]};
  t.deepEqual(
    comparisons[0]?.groups.map(({name}) => name),
    ['a', 'b'],
  );
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
