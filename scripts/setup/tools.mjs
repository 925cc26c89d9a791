// The packages that build the addon, for an installation: a checkout has them among its own.
import fs from 'node:fs';
import path from 'node:path';
import {npmCommand, runLogged} from './commands.mjs';
import {readJson, writeJson} from './files.mjs';
import {inRoot, packageFolder, toolsFolder} from './places.mjs';
import {say, since} from './say.mjs';

const tools = ['cmake-js', 'node-addon-api', 'node-gyp'];

export function toolsAreThere() {
  return tools.every((name) => packageFolder(name) !== undefined);
}

/** Those that crossmap is developed with, in a folder of its own: the user's packages stay as they are. */
export async function installTools() {
  const start = performance.now();
  say(`installing what builds the addon: ${tools.join(', ')} (npm install)`);
  const {devDependencies} = readJson(inRoot('package.json'));
  fs.mkdirSync(toolsFolder, {recursive: true});
  writeJson(path.join(toolsFolder, 'package.json'), {
    private: true,
    dependencies: Object.fromEntries(tools.map((name) => [name, devDependencies[name]])),
  });
  const flags = ['--prefix', toolsFolder, '--ignore-scripts', '--no-audit', '--no-fund'];
  await runLogged('build-tools', [...npmCommand(), 'install', ...flags]);
  say(`they are installed in ${since(start)}`);
}

/** The environment in which builds find these packages, wherever they lie. */
export function toolEnvironment() {
  const paths = [process.env['NODE_PATH'], path.join(toolsFolder, 'node_modules')];
  return {...process.env, NODE_PATH: paths.filter(Boolean).join(path.delimiter)};
}
