// The set-up: does what is missing or stale, in order, and nothing else.
import {addonIsCurrent, buildAddon, flavours} from './addon.mjs';
import {buildCuda} from './cuda.mjs';
import {withLock} from './lock.mjs';
import {installPackages, packagesAreCurrent} from './packages.mjs';
import {installTools, toolsAreThere} from './tools.mjs';
import {compileTypes, typesAreCurrent} from './types.mjs';

const steps = {
  packages: {isCurrent: packagesAreCurrent, make: installPackages},
  tools: {isCurrent: toolsAreThere, make: installTools},
  addon: {isCurrent: () => addonIsCurrent(flavours.cpu), make: () => buildAddon(flavours.cpu)},
  simt: {isCurrent: () => addonIsCurrent(flavours.simt), make: () => buildAddon(flavours.simt)},
  cuda: {isCurrent: () => addonIsCurrent(flavours.cuda), make: buildCuda},
  arm64: {isCurrent: () => addonIsCurrent(flavours.arm64), make: () => buildAddon(flavours.arm64)},
  asan: {isCurrent: () => addonIsCurrent(flavours.asan), make: () => buildAddon(flavours.asan)},
  types: {isCurrent: typesAreCurrent, make: compileTypes},
};

/**
 * The lock is taken only where there is something to do, and what another process did meanwhile is seen.
 *
 * @param {readonly (keyof typeof steps)[]} names in the order they depend on each other
 */
export async function setUp(names) {
  if (names.every((name) => steps[name].isCurrent())) return;
  await withLock(async () => {
    for (const name of names) if (!steps[name].isCurrent()) await steps[name].make();
  });
}
