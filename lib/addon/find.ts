/**
 * Finds and loads the addon: the one that CROSSMAP_ADDON names; else one with CUDA where there is a GPU for it, else one for the CPU
 * alone. What was built here comes before what a package brought, for whoever builds wants to see the result.
 */
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {CrossmapError} from '../errors.js';
import {addonName, locatePrebuilt, prebuiltFor, type Flavour} from './prebuilt.js';

/** An addon file, and why it was taken. */
interface AddonLocation {
  readonly path: string;
  readonly reason: string;
}

/** The addon that is loaded, and what was found on the way to it. */
export interface Addon extends AddonLocation {
  /** Why an addon with CUDA was not taken; absent where one is. */
  readonly noCuda?: string;
}

/** What the search itself asks of an addon. */
interface AddonExports {
  readonly cudaInfo?: () => {readonly reason: string} | undefined;
}

/** An addon with what it exports. */
interface LoadedAddon {
  readonly functions: unknown;
  readonly addon: Addon;
}

/** Where an addon may be: found, or not there for some reason. */
type Place = {readonly name: string} & (AddonLocation | {readonly lack: string});

/** Of a search that found nothing: what was tried, and why it was not taken. */
type Tried = readonly {readonly name: string; readonly lack: string}[];

const root = new URL('../../../', import.meta.url); // from dist/lib/addon

/** In the folders that builds write to. */
const builds = {
  cuda: [{file: `build-cuda/Release/${addonName('cuda')}`, reason: 'built by cmake-js, with CUDA'}],
  cpu: [
    {file: `build-cmake/Release/${addonName('cpu')}`, reason: 'built by cmake-js'},
    {file: `build/Release/${addonName('cpu')}`, reason: 'built by node-gyp'},
  ],
} as const;

/** Of a checkout. */
const commands = {cuda: 'npm run build:cuda', cpu: 'npm run build'} as const;

const emulator = {
  path: fileURLToPath(new URL('build-cmake/Release/crossmap-simt.node', root)),
  reason: 'the device simt was asked for',
};

/**
 * The addon, loaded.
 *
 * @param device that it must have; undefined: whichever this machine can use
 * @throws ERR_ADDON, with what was tried
 */
export function findAddon(device?: 'cpu' | 'cuda' | 'simt'): LoadedAddon {
  const chosen = process.env['CROSSMAP_ADDON'];
  if (chosen) return loadFrom({path: resolve(chosen), reason: 'CROSSMAP_ADDON names it'});
  if (device === 'simt') return findEmulator();
  const cuda = device === 'cpu' ? {tried: []} : firstThatLoads('cuda');
  const noCuda = device === 'cpu' ? undefined : whyNot(cuda);
  if (cuda.found && (noCuda === undefined || device === 'cuda')) return withReason(cuda.found, noCuda);
  const cpu = firstThatLoads('cpu');
  // An addon with CUDA that cannot use it has the CPU.
  const found = cpu.found ?? cuda.found;
  if (found) return withReason(found, noCuda);
  throw new CrossmapError('ERR_ADDON', nothingFound([...cuda.tried, ...cpu.tried]));
}

interface Search {
  readonly found?: LoadedAddon;
  readonly tried: Tried;
}

function firstThatLoads(flavour: Flavour): Search {
  const tried: {name: string; lack: string}[] = [];
  for (const place of placesOf(flavour)) {
    if ('lack' in place) {
      tried.push(place);
      continue;
    }
    try {
      return {found: loadFrom(place), tried};
    } catch (error) {
      tried.push({name: place.name, lack: `cannot be loaded: ${reasonOf(error)}`});
    }
  }
  return {tried};
}

function placesOf(flavour: Flavour): Place[] {
  const built = builds[flavour].flatMap(({file, reason}): Place[] => {
    const path = fileURLToPath(new URL(file, root));
    if (existsSync(path)) return [{name: file, path, reason}];
    return isCheckout() ? [{name: file, lack: `is not built (${commands[flavour]} does)`}] : [];
  });
  const prebuilt = prebuiltFor(flavour);
  if (!prebuilt) return built;
  const {name} = prebuilt;
  return [...built, {name, reason: `of the package ${name}`, ...locatePrebuilt(prebuilt)}];
}

/** Why what was found with CUDA cannot use it, or why nothing was found. */
function whyNot({found, tried}: Search): string | undefined {
  if (!found) return `no addon with CUDA: ${listed(tried)}`;
  const {cudaInfo} = found.functions as AddonExports;
  const reason = cudaInfo?.()?.reason;
  return reason === '' ? undefined : (reason ?? `${found.addon.path} is without CUDA`);
}

function withReason({functions, addon}: LoadedAddon, noCuda: string | undefined): LoadedAddon {
  return {functions, addon: {...addon, ...(noCuda !== undefined && {noCuda})}};
}

function findEmulator(): LoadedAddon {
  if (existsSync(emulator.path)) return loadFrom(emulator);
  throw new CrossmapError(
    'ERR_ADDON',
    isCheckout()
      ? `the addon with the emulated GPU is not built: ${emulator.path} does not exist; run npm run build:simt, or set CROSSMAP_ADDON to the addon`
      : 'the emulated GPU is for tests of crossmap itself and in no package: it needs a checkout of the sources, where npm run build:simt builds it',
  );
}

function nothingFound(tried: Tried): string {
  const remedy = isCheckout()
    ? `run ${commands.cpu}`
    : 'install crossmap again without --omit=optional, or compile the addon by npx crossmap build';
  const place = `${process.platform} ${process.arch}`;
  return `there is no native addon for ${place}: ${listed(tried)}; ${remedy}, or set CROSSMAP_ADDON to an addon`;
}

function listed(tried: Tried): string {
  const known = tried.length > 0 ? tried : [{name: 'a package for this platform', lack: 'does not exist'}];
  return known.map(({name, lack}) => `${name} ${lack}`).join(', ');
}

/** Whether this is a working copy of the sources: packages carry no tests. */
function isCheckout(): boolean {
  return existsSync(new URL('test', root));
}

function loadFrom(addon: AddonLocation): LoadedAddon {
  const {path, reason} = addon;
  try {
    const functions: unknown = createRequire(import.meta.url)(path);
    return {functions, addon: {path, reason}};
  } catch (cause) {
    throw new CrossmapError('ERR_ADDON', `the native addon ${path} cannot be loaded: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** The first line, since Node lists below it which modules were on the way. */
function reasonOf(error: unknown): string {
  const cause = error instanceof CrossmapError ? error.cause : error;
  return (cause instanceof Error ? cause.message.split('\n', 1)[0] : undefined) ?? String(cause);
}
