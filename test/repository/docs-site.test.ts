/** The static pages of the documentation: what is on them, and that a link that leads nowhere is found. */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {loadScript, root} from './support.js';

type FindBrokenLinks = (pages: ReadonlyMap<string, string>, exists: (file: string) => boolean) => string[];

const {findBrokenLinks} = await loadScript<{findBrokenLinks: FindBrokenLinks}>('scripts/docs/site/links.mjs');
const {siteOptions, subPaths} = await loadScript<{
  siteOptions: (out: string) => {projectDocuments: string[]; entryPoints: string[]};
  subPaths: () => Record<string, string>;
}>('scripts/docs/site/options.mjs');

interface Text {
  text: string;
}

interface Reflection {
  name: string;
  kind?: number;
  parent?: Reflection;
  content?: Text[];
  readme?: Text[];
  documents?: Reflection[];
  type?: {declaration: {signatures: Reflection[]}};
  hasComment?: () => boolean;
  getFullName?: () => string;
  getReflectionsByKind?: (kind: number) => Reflection[];
}

const {load} = await loadScript<{load: (app: object) => void}>('scripts/docs/site/plugin.mjs');

/** Of a site with these pages and one file beside them. */
function broken(pages: Record<string, string>): string[] {
  return findBrokenLinks(new Map(Object.entries(pages)), (file) => file === 'assets/style.css');
}

test('links to pages, anchors and files that are there are left alone', (t) => {
  t.deepEqual(
    broken({
      'index.html': `<link rel="stylesheet" href="assets/style.css?v=1"/><a href="docs/ops.html#memory-%C3%A9">ops</a>
        <a href="#top" id="top">up</a><a href="https://example.org/elsewhere">out</a><a href="">here</a>`,
      'docs/ops.html': '<h2 id="memory-é">Memory</h2><a class="x" href="../index.html#top">home</a>',
    }),
    [],
  );
});

test('a page, a file and an anchor that are not there are told with the page that names them', (t) => {
  t.deepEqual(
    broken({
      'index.html':
        '<a href="docs/op.html">ops</a><a href="docs/ops.html#memry">memory</a><img src="assets/x.png">',
      'docs/ops.html': '<h2 id="memory">Memory</h2><a href="../../README.md">out</a>',
    }),
    [
      'index.html: assets/x.png does not exist',
      'index.html: docs/op.html does not exist',
      'index.html: docs/ops.html#memry names no anchor of the page',
      'docs/ops.html: ../../README.md leads out of the folder',
    ],
  );
});

test('a page must load nothing from elsewhere', (t) => {
  t.deepEqual(
    broken({
      'index.html':
        '<script defer src="https://cdn.example/a.js"></script><link href="//fonts.example/b.css"><img src="data:x">',
    }),
    [
      'index.html: https://cdn.example/a.js is loaded from elsewhere',
      'index.html: //fonts.example/b.css is loaded from elsewhere',
    ],
  );
});

test('the site has each page of docs once, and an entry for each sub-path of the package', (t) => {
  const {projectDocuments, entryPoints} = siteOptions('site');
  const wanted = fs.readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`);
  const top = ['CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
  t.deepEqual(
    projectDocuments.map((file) => path.relative(root, file).split(path.sep).join('/')).sort(),
    [...wanted, ...top].sort(),
  );
  for (const file of [...projectDocuments, ...entryPoints]) t.true(fs.existsSync(file), file);
});

test('each sub-path says what it is, under the name that programs import', (t) => {
  for (const [name, file] of Object.entries(subPaths())) {
    const [comment = ''] = fs.readFileSync(path.join(root, file), 'utf8').split('*/');
    t.regex(comment, new RegExp(`^/\\*\\*\\n \\* \\S[^]*\\n \\* @module ${name}\\n`), file);
  }
});

/** Runs the plugin on a project, as typedoc does; gives what it warns of. */
function runPlugin(project: Reflection): string[] {
  const handlers = new Map<string, (argument: unknown) => void>();
  const on = (event: string, then: (argument: unknown) => void) => void handlers.set(event, then);
  const warnings: string[] = [];
  load({on, converter: {on}, renderer: {on}, logger: {warn: (text: string) => warnings.push(text)}});
  handlers.get('resolveBegin')!({project});
  handlers.get('validateProject')!(project);
  handlers.get('beginRender')!({project});
  return warnings;
}

test('pages are called what their first heading says, and the front page has its name once', (t) => {
  const page: Reflection = {name: 'ops', content: [{text: '# Tensors and ops\n\nText'}]};
  const bare: Reflection = {name: 'bare', content: [{text: 'Text\n# Later\n'}]};
  const project: Reflection = {
    name: 'crossmap',
    readme: [{text: '# crossmap\n\nPre-trains'}],
    documents: [page, bare],
    getReflectionsByKind: () => [],
  };
  t.deepEqual(runPlugin(project), []);
  t.deepEqual([page.name, bare.name, project.readme![0]!.text], ['Tensors and ops', 'bare', 'Pre-trains']);
});

test('a member of an interface or class without a doc comment is told, one of a nested type is not', (t) => {
  const [ofClass, ofInterface, ofType] = [128, 256, 65536].map((kind) => ({name: 'parent', kind}));
  const member = (parent: Reflection, name: string, commented = false): Reflection => ({
    name,
    kind: 1024,
    parent,
    hasComment: () => commented,
    getFullName: () => `${parent.kind}.${name}`,
  });
  const method = {
    ...member(ofInterface!, 'method'),
    type: {declaration: {signatures: [member(ofInterface!, 'method', true)]}},
  };
  const members = [
    member(ofClass!, 'plain'),
    member(ofInterface!, 'plain'),
    member(ofInterface!, 'said', true),
    member(ofType!, 'inner'),
    method,
  ];
  t.deepEqual(runPlugin({name: 'crossmap', getReflectionsByKind: () => members}), [
    '128.plain has no doc comment',
    '256.plain has no doc comment',
  ]);
});
