// npm run build, build:gyp, build:simt, build:cuda, build:asan: everything that is missing or stale, and nothing else.
import {buildWithGyp} from './setup/gyp.mjs';
import {setUp} from './setup/set-up.mjs';
import {SetUpError, runScript, say} from './setup/say.mjs';

const targets = {
  all: () => setUp(['packages', 'addon', 'simt', 'types']),
  simt: () => setUp(['packages', 'simt', 'types']),
  cuda: () => setUp(['packages', 'cuda', 'types']),
  asan: () => setUp(['packages', 'asan', 'types']),
  gyp: async () => {
    await setUp(['packages']);
    await buildWithGyp();
  },
};

await runScript(async () => {
  const target = process.argv[2] ?? 'all';
  if (!Object.hasOwn(targets, target)) {
    throw new SetUpError(`build: ${target} is not a target; there are ${Object.keys(targets).join(', ')}`);
  }
  await targets[/** @type {keyof typeof targets} */ (target)]();
  say('the build is current');
});
