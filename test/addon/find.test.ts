/** Which addon is taken, in an installation made up of the built library and packages with the addon of this build. */
import {execFile} from 'node:child_process';
import {cp, mkdir, readFile, rm, stat, truncate, writeFile} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {addonName, prebuiltFor, prebuiltPackages, type Flavour} from '../../lib/addon/prebuilt.js';
import {addonFile, flavours} from '../repository/addon-file.js';
import {root} from '../repository/support.js';
import {temporaryFolder} from '../formats/folder.js';

const {version} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {version: string};
const cpu = prebuiltFor('cpu');
// Others have no package: they build, or name an addon.
const testHere = cpu ? test : test.skip;

interface Installation {
  /** What a program prints that makes a tensor. */
  readonly tell: (env?: Readonly<Record<string, string>>) => Promise<string>;
  readonly install: (flavour: Flavour, changes?: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly folder: string;
}

async function installation(t: ExecutionContext): Promise<Installation> {
  const folder = join(await temporaryFolder(t), 'node_modules/crossmap');
  await mkdir(folder, {recursive: true});
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await cp(join(root, 'dist/lib'), join(folder, 'dist/lib'), {recursive: true});
  const program = `
    import {full, whyNoCuda} from ${JSON.stringify(`file://${folder}/dist/lib/tensor/index.js`)};
    import {addonInUse} from ${JSON.stringify(`file://${folder}/dist/lib/native.js`)};
    try { console.log((await full([2], 1).data()).join(), addonInUse().reason, '|', whyNoCuda()); }
    catch ({code, message}) { console.log(code, message); }`;
  return {
    folder,
    tell: async (env = {}) => {
      const {CROSSMAP_ADDON: _, ...others} = process.env;
      const args = ['--input-type=module', '--eval', program];
      const {stdout} = await promisify(execFile)(process.execPath, args, {env: {...others, ...env}});
      return stdout.trim();
    },
    // The addon for the CPU stands for either: no GPU is needed to see which file is taken.
    install: async (flavour, changes = {}) => {
      const name = prebuiltFor(flavour)?.name ?? '';
      const file = join(dirname(folder), name, addonName(flavour));
      await mkdir(dirname(file), {recursive: true});
      await cp(addonFile(flavours.cpu), file);
      const manifest = {name, version, addonBytes: (await stat(file)).size, ...changes};
      await writeFile(join(dirname(file), 'package.json'), JSON.stringify(manifest));
      return file;
    },
  };
}

test('each platform and flavour has one package, named after both', (t) => {
  const names = prebuiltPackages.map(({name}) => name);
  t.is(new Set(names).size, names.length);
  for (const {name, platform, arch, flavour} of prebuiltPackages)
    t.regex(name, new RegExp(`^@crossmap/${platform}-${arch}-${flavour}\\d*$`));
});

testHere('the addon of the package is taken, and why there is no CUDA is told', async (t) => {
  const {install, tell} = await installation(t);
  await install('cpu');
  t.regex(
    await tell(),
    /^1,1 of the package @crossmap\/\w+-\w+-cpu \| no addon with CUDA: (?:@crossmap\/linux-x64-cuda13 is not installed|a package for this platform does not exist)$/,
  );
});

testHere('without any the error lists what was tried, and the remedies', async (t) => {
  const {tell} = await installation(t);
  t.regex(
    await tell(),
    /^ERR_ADDON there is no native addon for \w+ \w+: .*-cpu is not installed; install crossmap again without --omit=optional, or compile the addon by npx crossmap build, or set CROSSMAP_ADDON to an addon$/,
  );
  t.regex(
    await tell({CROSSMAP_DEVICE: 'simt'}),
    /^ERR_ADDON the emulated GPU is for tests of crossmap itself/,
  );
});

testHere(
  'a package of another version, or whose addon is cut short or missing, is passed over',
  async (t) => {
    const {install, tell} = await installation(t);
    await install('cpu', {version: '0.0.1'});
    t.true((await tell()).includes(`-cpu is of version 0.0.1, and crossmap of ${version}`));
    const file = await install('cpu');
    await truncate(file, 1000);
    t.regex(await tell(), /-cpu is damaged \(crossmap-cpu\.node has 1000 bytes instead of \d+\)/);
    await rm(file);
    t.regex(await tell(), /-cpu is damaged \(crossmap-cpu\.node is missing\)/);
  },
);

testHere('an addon that does not load is passed over, with the reason', async (t) => {
  const {install, tell} = await installation(t);
  await writeFile(await install('cpu', {addonBytes: 4}), 'text');
  t.regex(await tell(), /-cpu cannot be loaded: .*(?:too short|invalid)/);
});

const testCuda = prebuiltFor('cuda') ? test : test.skip;

testCuda(
  'an addon with CUDA that cannot use it gives way to that of the CPU, and stands in for it',
  async (t) => {
    const {install, tell} = await installation(t);
    const file = await install('cuda');
    t.regex(await tell(), /^1,1 of the package .*-cuda13 \| .*crossmap-cuda\.node is without CUDA$/);
    await install('cpu');
    t.regex(await tell(), /^1,1 of the package .*-cpu \| .*crossmap-cuda\.node is without CUDA$/);
    t.regex(await tell({CROSSMAP_DEVICE: 'cuda'}), /^1,1 of the package .*-cuda13/);
    await truncate(file, 1000);
    t.regex(await tell(), /^1,1 of the package .*-cpu \| no addon with CUDA: .*-cuda13 is damaged/);
  },
);

testHere('what was built in the folder of the package comes first', async (t) => {
  const {install, tell, folder} = await installation(t);
  await install('cpu');
  const built = join(folder, 'build/Release', addonName('cpu'));
  await mkdir(dirname(built), {recursive: true});
  await cp(addonFile(flavours.cpu), built);
  t.regex(await tell(), /^1,1 built by node-gyp \|/);
});

testHere('CROSSMAP_ADDON names one, as seen from the current folder', async (t) => {
  const {tell, install} = await installation(t);
  const file = relative(process.cwd(), await install('cpu', {version: '0.0.1'}));
  t.regex(await tell({CROSSMAP_ADDON: file}), /^1,1 CROSSMAP_ADDON names it \|/);
});
