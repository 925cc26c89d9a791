/** What an installation takes on disk: the package, the addon that is built from it, and the packages that it needs at run time. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {addonInUse} from '../../lib/native.js';
import {printFigures, type FigureColumn, type FigureRow, type FigureTable} from '../support/figure-table.js';
import {parseBenchFlags} from '../support/flags.js';
import {printHead} from '../support/print.js';
import {writeResult} from '../support/results.js';

const root = fileURLToPath(new URL('../../../', import.meta.url)); // from dist/bench/product

const bytesAndFiles: readonly FigureColumn[] = [
  {name: 'bytes', unit: 'bytes'},
  {name: 'files', unit: 'count'},
];

interface Size {
  readonly bytes: number;
  readonly files: number;
}

const sumOf = (sizes: readonly Size[]): Size => ({
  bytes: sizes.reduce((sum, {bytes}) => sum + bytes, 0),
  files: sizes.reduce((sum, {files}) => sum + files, 0),
});

const rowOf = (name: string, {bytes, files}: Size): FigureRow => ({name, figures: [bytes, files]});

const largestFirst = (sizes: ReadonlyMap<string, Size>): [string, Size][] =>
  [...sizes].sort(([, a], [, b]) => b.bytes - a.bytes);

/** Adds up what has the same name. */
function grouped(sizes: readonly (readonly [string, Size])[]): ReadonlyMap<string, Size> {
  const groups = new Map<string, Size>();
  for (const [name, size] of sizes) groups.set(name, sumOf([groups.get(name) ?? {bytes: 0, files: 0}, size]));
  return groups;
}

/** What `npm pack` says that it would carry. */
interface Packed {
  readonly size: number;
  readonly files: readonly {readonly path: string; readonly size: number}[];
}

function packageTable(): FigureTable {
  const npm = process.env['npm_execpath'];
  const [program = '', ...before] = npm?.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm'];
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const {status, stdout, stderr} = spawnSync(program, [...before, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`npm pack ended with ${status}: ${stderr}`);
  const [packed] = JSON.parse(stdout) as readonly Packed[];
  if (packed === undefined) throw new Error('npm pack would carry nothing');
  const folders = grouped(
    packed.files.map(({path, size}) => {
      const [folder, ...rest] = path.split('/');
      return [rest.length > 0 ? `${folder}/` : 'files at the root', {bytes: size, files: 1}] as const;
    }),
  );
  return {
    title: 'the package, as npm pack makes it',
    columns: bytesAndFiles,
    rows: [
      {name: 'compressed', figures: [packed.size, 1]},
      rowOf('unpacked', sumOf([...folders.values()])),
      ...largestFirst(folders).map(([name, size]) => rowOf(name, size)),
    ],
  };
}

function addonTable(): FigureTable {
  const {path} = addonInUse();
  const folder = mkdtempSync(join(tmpdir(), 'crossmap-bench-'));
  try {
    const stripped = join(folder, 'stripped.node');
    const {status} = spawnSync('strip', ['--strip-unneeded', '-o', stripped, path]);
    return {
      title: 'the addon',
      columns: bytesAndFiles.slice(0, 1),
      rows: [
        {name: 'as built', figures: [statSync(path).size]},
        {name: 'stripped of symbols', figures: [status === 0 ? statSync(stripped).size : null]},
      ],
    };
  } finally {
    rmSync(folder, {recursive: true});
  }
}

interface LockFile {
  readonly packages: Readonly<Record<string, {readonly dev?: boolean; readonly devOptional?: boolean}>>;
}

/** The largest are named. */
const namedPackages = 5;

function dependencyTable(): FigureTable {
  const {packages} = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  const folders = Object.entries(packages).flatMap(([folder, {dev = false, devOptional = false}]) =>
    folder === '' || dev || devOptional ? [] : [folder],
  );
  // By name: two versions of a package are one row. Those for other systems are not installed.
  const sizes = grouped(
    folders.flatMap((folder) => {
      const size = folderSize(join(root, folder));
      return size === undefined ? [] : [[folder.slice(folder.lastIndexOf('node_modules/') + 13), size]];
    }),
  );
  const rows = largestFirst(sizes);
  const others = rows.slice(namedPackages);
  return {
    title: 'packages at run time',
    columns: bytesAndFiles,
    rows: [
      rowOf(`all ${rows.length}`, sumOf([...sizes.values()])),
      ...rows.slice(0, namedPackages).map(([name, size]) => rowOf(name, size)),
      ...(others.length > 0 ? [rowOf(`${others.length} others`, sumOf(others.map(([, size]) => size)))] : []),
    ],
  };
}

/** Without packages inside; undefined where there is no such folder. */
function folderSize(folder: string): Size | undefined {
  if (statSync(folder, {throwIfNoEntry: false}) === undefined) return undefined;
  const sizes = readdirSync(folder, {withFileTypes: true}).map((entry): Size => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return entry.name === 'node_modules'
        ? {bytes: 0, files: 0}
        : (folderSize(path) ?? {bytes: 0, files: 0});
    return {bytes: statSync(path).size, files: 1};
  });
  return sumOf(sizes);
}

const {out, text} = parseBenchFlags(process.argv.slice(2), {seconds: 1, samples: 1, threads: [1]});
printHead('product/install-size');
const tables = [packageTable(), addonTable(), dependencyTable()].filter(({title}) => title.includes(text));
for (const table of tables) printFigures(table);
if (out !== undefined) writeResult(out, {bench: 'product/install-size', peers: [], comparisons: [], tables});
