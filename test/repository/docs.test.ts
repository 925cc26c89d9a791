import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {
  describeOptions,
  parseConfig,
  suiteJsonSchema,
  type OptionDescription,
} from '../../lib/config/index.js';
import {errorCodes} from '../../lib/errors.js';
import {loadScript, root} from './support.js';

const {errorsPage} = await loadScript<{errorsPage: (codes: Record<string, string>) => string}>(
  'scripts/docs/errors-page.mjs',
);
const {configurationPage} = await loadScript<{
  configurationPage: (options: {config: OptionDescription[]; suite: OptionDescription[]}) => string;
}>('scripts/docs/configuration-page.mjs');
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  exports: Record<string, unknown>;
};
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...fs.readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`),
].map((file) => ({
  file,
  text: fs.readFileSync(path.join(root, file), 'utf8'),
}));

test('docs/errors.md has every code; npm run docs makes it', (t) => {
  t.is(fs.readFileSync(path.join(root, 'docs/errors.md'), 'utf8'), errorsPage(errorCodes));
});

test('docs/configuration.md has every option; npm run docs makes it', (t) => {
  const options = {config: describeOptions(), suite: describeOptions(suiteJsonSchema())};
  t.is(fs.readFileSync(path.join(root, 'docs/configuration.md'), 'utf8'), configurationPage(options));
});

test('the configuration of README is one, and its texts are in the package', (t) => {
  const yaml = /^```yaml\n([^]*?)^```$/m.exec(pages[0]!.text)![1]!;
  const {data} = parseConfig(yaml.replace('node_modules/crossmap/', ''), {
    file: path.join(root, 'train.yaml'),
  });
  const files = [...(data.monolingual ?? []), ...(data.parallel ?? [])].flatMap((entry) =>
    'files' in entry ? entry.files : entry.file,
  );
  t.is(files.length, 3);
  for (const file of files) t.true(fs.existsSync(String(file)), String(file));
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
