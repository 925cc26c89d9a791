import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {errorCodes} from '../../lib/errors.js';
import {loadScript, root} from './support.js';

const {errorsPage} = await loadScript<{errorsPage: (codes: Record<string, string>) => string}>(
  'scripts/docs/errors-page.mjs',
);
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  exports: Record<string, unknown>;
};
const pages = ['README.md', ...fs.readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`)].map(
  (file) => ({
    file,
    text: fs.readFileSync(path.join(root, file), 'utf8'),
  }),
);

test('docs/errors.md has every code; npm run docs makes it', (t) => {
  t.is(fs.readFileSync(path.join(root, 'docs/errors.md'), 'utf8'), errorsPage(errorCodes));
});

for (const {file, text} of pages) {
  test(`${file} names only npm scripts that exist`, (t) => {
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);
    t.deepEqual(
      named.filter((name) => !Object.hasOwn(manifest.scripts, name)),
      [],
    );
  });

  test(`${file} links only to files that exist`, (t) => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link!);
    t.deepEqual(
      links.filter((link) => !fs.existsSync(path.join(root, path.dirname(file), link))),
      [],
    );
  });
}

test('README has a row for each sub-path of the package', (t) => {
  const readme = pages[0]!.text;
  const subPaths = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
  t.deepEqual(
    subPaths
      .map((entry) => entry.replace('.', 'crossmap'))
      .filter((name) => !readme.includes(`\n| \`${name}\` `)),
    [],
  );
});
