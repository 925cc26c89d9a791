// The same addon by node-gyp, which is what a consumer's build would use.
import fs from 'node:fs';
import path from 'node:path';
import {runLogged} from './commands.mjs';
import {inRoot, toolScript} from './places.mjs';
import {say, since} from './say.mjs';
import {parallelJobs} from './addon.mjs';
import {provideSystem} from './system.mjs';
import {toolEnvironment} from './tools.mjs';

/** Where the released package has its binding.gyp, relative to its root: scripts/release/pack.mjs says why. */
export const packedGypFile = 'native/binding.gyp';

/** Builds into build/Release; node-gyp itself sees what changed. */
export async function buildWithGyp() {
  const file = inRoot('binding.gyp');
  if (fs.existsSync(file)) return build();
  fs.copyFileSync(inRoot(packedGypFile), file);
  try {
    await build();
  } finally {
    fs.rmSync(file);
  }
}

async function build() {
  await provideSystem(['compiler', 'builder']);
  const start = performance.now();
  say('building the native addon with node-gyp');
  const headers = localHeaders();
  await runLogged(
    'addon-gyp',
    [
      process.execPath,
      toolScript('node-gyp', 'bin/node-gyp.js'),
      'configure',
      'build',
      `--jobs=${parallelJobs()}`,
      ...(headers ? [`--nodedir=${headers}`] : []),
    ],
    {env: toolEnvironment()},
  );
  say(`the native addon built with node-gyp in ${since(start)}`);
}

/**
 * The prefix of this Node's own headers, if they are installed and of its version: then node-gyp needs no
 * download.
 */
function localHeaders() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  const versionFile = path.join(prefix, 'include', 'node', 'node_version.h');
  if (!fs.existsSync(versionFile)) return undefined;
  const text = fs.readFileSync(versionFile, 'utf8');
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  );
  return version.join('.') === process.versions.node ? prefix : undefined;
}
