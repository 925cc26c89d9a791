/** Packages that carry the addon as built, one for each platform and flavour. The released package has them as optional dependencies. */
import {readFileSync, statSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {version} from '../version.js';

/** With CUDA and the CPU, or with the CPU alone. */
export type Flavour = 'cuda' | 'cpu';

/** A package with one addon. */
interface PrebuiltPackage {
  readonly name: string;
  readonly flavour: Flavour;
  /** As `process.platform` has it. */
  readonly platform: NodeJS.Platform;
  /** As `process.arch` has it. */
  readonly arch: NodeJS.Architecture;
}

/** All that a release may have; which ones it has depends on the compilers of the machine that makes it. */
export const prebuiltPackages: readonly PrebuiltPackage[] = [
  {name: '@crossmap/linux-x64-cpu', flavour: 'cpu', platform: 'linux', arch: 'x64'},
  {name: '@crossmap/linux-x64-cuda13', flavour: 'cuda', platform: 'linux', arch: 'x64'},
  {name: '@crossmap/linux-arm64-cpu', flavour: 'cpu', platform: 'linux', arch: 'arm64'},
];

/** The addon's file, in a package and in a build. */
export function addonName(flavour: Flavour): string {
  return `crossmap-${flavour}.node`;
}

/** The package for this machine, if there is one. */
export function prebuiltFor(flavour: Flavour): PrebuiltPackage | undefined {
  return prebuiltPackages.find(
    (each) => each.flavour === flavour && each.platform === process.platform && each.arch === process.arch,
  );
}

/** What a package says of itself in its package.json. */
interface PrebuiltManifest {
  readonly name: string;
  readonly version: string;
  /** Of the addon: loading a file that was cut short would end the process. */
  readonly addonBytes: number;
}

/** Where a package's addon is, or why it cannot be taken. */
export function locatePrebuilt({
  name,
  flavour,
}: PrebuiltPackage): {readonly path: string} | {readonly lack: string} {
  let file: string;
  try {
    file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  } catch {
    return {lack: 'is not installed'};
  }
  const manifest = readManifest(file);
  if (manifest.version !== version)
    return {lack: `is of version ${manifest.version ?? 'unknown'}, and crossmap of ${version}`};
  const path = join(dirname(file), addonName(flavour));
  const bytes = statSync(path, {throwIfNoEntry: false})?.size;
  if (bytes === manifest.addonBytes) return {path};
  const found = bytes === undefined ? 'is missing' : `has ${bytes} bytes instead of ${manifest.addonBytes}`;
  return {lack: `is damaged (${addonName(flavour)} ${found})`};
}

/** Nothing, for what a broken installation left behind. */
function readManifest(file: string): Partial<PrebuiltManifest> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return {};
    return {
      ...('version' in parsed && typeof parsed.version === 'string' && {version: parsed.version}),
      ...('addonBytes' in parsed && typeof parsed.addonBytes === 'number' && {addonBytes: parsed.addonBytes}),
    };
  } catch {
    return {};
  }
}
