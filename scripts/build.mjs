// npm run build, build:gyp, build:simt, build:cuda, build:asan: everything that is missing or stale, and nothing else.
// With `from-source` it is the program behind `crossmap build`, in an installation that has neither npm scripts nor the
// packages of a checkout.
import {buildWithGyp} from './setup/gyp.mjs';
import {setUp} from './setup/set-up.mjs';
import {SetUpError, runScript, say, warn} from './setup/say.mjs';

const targets = {
  all: () => setUp(['packages', 'addon', 'simt', 'types']),
  simt: () => setUp(['packages', 'simt', 'types']),
  cuda: () => setUp(['packages', 'cuda', 'types']),
  asan: () => setUp(['packages', 'asan', 'types']),
  gyp: async () => {
    await setUp(['packages']);
    await buildWithGyp();
  },
  'from-source': buildFromSource,
};

await runScript(async () => {
  const target = process.argv[2] ?? 'all';
  if (!Object.hasOwn(targets, target)) {
    throw new SetUpError(`build: ${target} is not a target; there are ${Object.keys(targets).join(', ')}`);
  }
  await targets[/** @type {keyof typeof targets} */ (target)]();
  say('the build is current');
});

/** The addon alone, by cmake-js, or by node-gyp where that fails. The user's system is left as it is. */
async function buildFromSource() {
  process.env['CROSSMAP_INSTALL_SYSTEM'] ??= '0';
  await setUp(['tools']);
  try {
    await setUp(['addon']);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    warn(`cmake-js does not build it: ${error.message}`);
    say('trying node-gyp');
    await buildWithGyp();
  }
}
