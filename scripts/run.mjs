// npm run demo, test, lint, bench: set up what is missing or stale, then do it. Further arguments pass on.
import {runBenches} from './bench.mjs';
import {runStatic} from './cuda/static.mjs';
import {makeDocs} from './docs/main.mjs';
import {makeSite} from './docs/site/main.mjs';
import {runGpuCheck} from './gpu-check/main.mjs';
import {packGpuCheck} from './gpu-check/pack.mjs';
import {runInstructions} from './instructions/main.mjs';
import {runFormat, runLint} from './lint/main.mjs';
import {runReliability} from './reliability/main.mjs';
import {sanitizerEnvironment} from './setup/addon.mjs';
import {checkArm64} from './setup/arm64.mjs';
import {runInTerminal} from './setup/commands.mjs';
import {makePrebuilt} from './release/prebuilt.mjs';
import {release} from './release/release.mjs';
import {installPeers, installRegistry, installTestPeers} from './setup/packages.mjs';
import {inRoot, toolScript} from './setup/places.mjs';
import {SetUpError, runScript, say, warn} from './setup/say.mjs';
import {setUp} from './setup/set-up.mjs';

const oldestNode = 20;

const tasks = {
  demo,
  test,
  lint,
  format,
  docs,
  bench,
  ablation,
  corpora,
  instructions,
  reliability: runReliability,
  static: runStatic,
  'docs:site': docsSite,
  'gpu-check': gpuCheck,
  prebuilt: makePackages,
  release: releasePackages,
  'bench:peers': installPeers,
  'test:peers': installTestPeers,
  'test:asan': testAsan,
  'test:install': testInstall,
  'check:arm64': checkArm64,
};

await runScript(async () => {
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    throw new SetUpError(`crossmap needs Node ${oldestNode} or newer; this is ${process.versions.node}`);
  }
  const [name = '', ...args] = process.argv.slice(2);
  if (!Object.hasOwn(tasks, name)) {
    throw new SetUpError(`run: ${name} is not a task; there are ${Object.keys(tasks).join(', ')}`);
  }
  return tasks[/** @type {keyof typeof tasks} */ (name)](args);
});

/** @param {readonly string[]} args */
async function demo(args) {
  await setUp(['packages', 'addon', 'types']);
  return runInTerminal([process.execPath, inRoot('dist/lib/cli/main.js'), 'demo', ...args]);
}

/** Lint and tests both run, so that one look shows all there is to mend. */
async function test(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'addon', 'simt', 'types']);
  const lintStatus = await runLint();
  const testStatus = await runAva(args);
  if (lintStatus !== 0) warn('lint failed: its findings stand above the tests');
  return testStatus || lintStatus;
}

async function lint() {
  await setUp(['packages', 'types']);
  return runLint();
}

async function docs() {
  await setUp(['packages', 'types']);
  await makeDocs();
}

/** Static pages of the documentation and of the API, in the folder site. */
async function docsSite() {
  await setUp(['packages']);
  await makeSite();
}

async function format() {
  await setUp(['packages']);
  return runFormat();
}

/** Without a name all benches, else those named: `npm run bench -- ops/attention --seconds 1`. */
async function bench(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'addon', 'types']);
  return runBenches(args);
}

/** What kernels execute, counted: `npm run instructions -- --check` compares it with the record. */
async function instructions(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'addon', 'types']);
  return runInstructions(args);
}

/** The experiment of examples/ablation: hours, and it goes on where it was stopped. */
async function ablation(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'addon', 'types']);
  return runInTerminal([process.execPath, inRoot('dist/examples/ablation/main.js'), ...args]);
}

/** Text and sentence pairs for experiments: `npm run corpora -- --output FOLDER`. */
async function corpora(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'types']);
  // A large nursery: most objects are words and sentences that die young.
  const node = [process.execPath, '--max-semi-space-size=128'];
  return runInTerminal([...node, inRoot('scripts/corpora/main.mjs'), ...args]);
}

/** What only a GPU can show; `--device simt` is its dry run, `--pack FOLDER` what a machine without Node needs. */
async function gpuCheck(/** @type {readonly string[]} */ args) {
  const isDry = /(?:^| )--device[= ]simt(?: |$)/.test(args.join(' '));
  await setUp(['packages', isDry ? 'simt' : 'cuda', 'types']);
  const [flag, folder] = args;
  if (flag !== '--pack') return runGpuCheck(args);
  if (folder === undefined || args.length > 2) throw new SetUpError('gpu-check: --pack FOLDER stands alone');
  return packGpuCheck(folder);
}

/** Packages with the addon as built: `npm run prebuilt -- @crossmap/linux-x64-cpu`; without a name all that can be built here. */
async function makePackages(/** @type {readonly string[]} */ names) {
  await setUp(['packages', 'types']);
  await makePrebuilt(names);
}

/** Publishes to a registry on this machine, and installs from there as users do. */
async function testInstall(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'addon', 'types']);
  await installRegistry();
  return runAva([...args, 'dist/test/install/*.test.js'], {...process.env, CROSSMAP_TEST_INSTALL: '1'});
}

/** `npm run release -- --registry URL`. */
async function releasePackages(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'types']);
  await release(args);
}

/** The tests that drive the addon, against the sanitized one; files among the arguments stand instead. */
async function testAsan(/** @type {readonly string[]} */ args) {
  await setUp(['packages', 'asan', 'types']);
  say('running the tests of the addon under AddressSanitizer and UBSan');
  const drivesAddon = ['native', 'ops/**/*', 'autograd/**/*', 'tensor/**/*'];
  const files = drivesAddon.map((name) => `dist/test/${name}.test.js`);
  const namesFiles = args.some((arg) => !arg.startsWith('-'));
  return runAva(namesFiles ? args : [...args, ...files], sanitizerEnvironment());
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function runAva(args, env = process.env) {
  return runInTerminal([process.execPath, toolScript('ava', 'entrypoints/cli.mjs'), ...args], {env});
}
