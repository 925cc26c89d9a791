// What typedoc is told: an entry for each sub-path of the package, the pages in the order in which they are read.
import fs from 'node:fs';
import {readJson} from '../../setup/files.mjs';
import {inRoot} from '../../setup/places.mjs';

/** Pages that are read first, in this order; all others follow by name. */
const firstPages = [
  'install',
  'training',
  'configuration',
  'data',
  'evaluation',
  'embedding',
  'ops',
  'errors',
  'performance',
];

/** Types that stand in signatures and say nothing by themselves: what they are made of is shown in their place. */
const intentionallyNotExported = [
  'configSchema',
  'measures',
  'dtypes',
  'ParsedConfig',
  'ParsedSuite',
  'Completed',
  'DeepReadonly',
];

/**
 * @param {string} out folder of the pages
 * @returns {Record<string, unknown>}
 */
export function siteOptions(out) {
  return {
    name: 'crossmap',
    includeVersion: true,
    entryPoints: Object.values(subPaths()).map((file) => inRoot(file)),
    tsconfig: inRoot('tsconfig.json'),
    readme: inRoot('README.md'),
    projectDocuments: projectDocuments().map((file) => inRoot(file)),
    basePath: inRoot(),
    plugin: [inRoot('scripts/docs/site/plugin.mjs')],
    out,
    excludeExternals: true,
    excludeInternal: true,
    disableSources: true,
    navigation: {includeFolders: false},
    groupOrder: ['Documents', 'Modules', 'Functions', 'Classes', 'Variables', 'Interfaces', 'Type Aliases'],
    kindSortOrder: ['Document', 'Module', 'Function', 'Class', 'Variable', 'Interface', 'TypeAlias'],
    sort: ['kind', 'alphabetical-ignoring-documents'],
    customCss: inRoot('scripts/docs/site/style.css'),
    searchInComments: true,
    searchInDocuments: true,
    highlightLanguages: [
      'bash',
      'sh',
      'console',
      'typescript',
      'javascript',
      'json',
      'yaml',
      'cpp',
      'python',
      'html',
    ],
    requiredToBeDocumented: [
      'Module',
      'Class',
      'Interface',
      'Function',
      'Variable',
      'TypeAlias',
      'Method',
      'Accessor',
    ],
    intentionallyNotExported,
    validation: {
      notExported: true,
      invalidLink: true,
      invalidPath: true,
      notDocumented: true,
      rewrittenLink: true,
    },
    treatWarningsAsErrors: true,
  };
}

/**
 * The sub-paths of the package and their sources.
 *
 * @returns {Record<string, string>} `crossmap/ops` to `lib/ops/index.ts`
 */
export function subPaths() {
  /** @type {{exports: Record<string, {types?: string}>}} */
  const {exports: entries} = readJson(inRoot('package.json'));
  return Object.fromEntries(
    Object.entries(entries).flatMap(([name, {types}]) =>
      types === undefined ? [] : [[name.replace('.', 'crossmap'), sourceOf(types)]],
    ),
  );
}

/** @param {string} declarations `./dist/lib/ops/index.d.ts` */
function sourceOf(declarations) {
  return declarations.replace('./dist/', '').replace(/\.d\.ts$/, '.ts');
}

/** README aside, which is the front page. */
export function projectDocuments() {
  const names = fs.readdirSync(inRoot('docs')).map((file) => file.replace(/\.md$/, ''));
  const later = names.filter((name) => !firstPages.includes(name)).sort();
  const docs = [...firstPages.filter((name) => names.includes(name)), ...later];
  return [...docs.map((name) => `docs/${name}.md`), 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
}
