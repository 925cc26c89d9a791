// Archives as npm publishes them.
import fs from 'node:fs';
import path from 'node:path';
import {capture, npmCommand} from '../setup/commands.mjs';
import {readJson, writeJson} from '../setup/files.mjs';
import {packedGypFile} from '../setup/gyp.mjs';
import {inRoot, stateFolder} from '../setup/places.mjs';
import {SetUpError} from '../setup/say.mjs';

/**
 * An archive.
 *
 * @typedef {object} Archive
 * @property {string} file
 * @property {number} bytes
 * @property {number} unpackedBytes
 * @property {string} integrity as registries tell it
 */

/**
 * Packs a folder.
 *
 * @param {string} folder
 * @param {string} destination
 * @returns {Promise<Archive>}
 */
export async function pack(folder, destination) {
  fs.mkdirSync(destination, {recursive: true});
  const {status, output, printed} = await capture([
    ...npmCommand(),
    'pack',
    folder,
    '--pack-destination',
    destination,
    '--json',
    '--ignore-scripts',
  ]);
  if (status !== 0) throw new SetUpError(`npm pack ${folder} ended with ${status}: ${output}`);
  const [packed] = Object.values(JSON.parse(printed));
  return {
    file: path.join(destination, packed.filename.replace('@', '').replace('/', '-')),
    bytes: packed.size,
    unpackedBytes: packed.unpackedSize,
    integrity: packed.integrity,
  };
}

/**
 * The package `crossmap` itself, with the packages of this release as optional dependencies. They stand in no package.json of
 * the sources: what is not published yet cannot be installed, and npm ci would fail. binding.gyp goes where npm does not see it: at the
 * root of a package it makes `npm ci` compile, whatever `gypfile` says, for lock files do not keep that.
 *
 * @param {readonly string[]} optional names
 */
export async function packCrossmap(optional) {
  const staging = path.join(stateFolder, 'packages', 'crossmap');
  fs.rmSync(staging, {recursive: true, force: true});
  const plain = await pack(inRoot(), path.join(stateFolder, 'packages'));
  fs.mkdirSync(staging, {recursive: true});
  const {status, output} = await capture(['tar', '-xzf', plain.file, '-C', staging, '--strip-components=1']);
  if (status !== 0) throw new SetUpError(`tar cannot read ${plain.file}: ${output}`);
  const file = path.join(staging, 'package.json');
  const {scripts: _, ...manifest} = readJson(file);
  fs.renameSync(path.join(staging, 'binding.gyp'), path.join(staging, packedGypFile));
  writeJson(file, {
    ...manifest,
    optionalDependencies: Object.fromEntries(optional.map((name) => [name, manifest.version])),
  });
  return {...(await pack(staging, path.join(stateFolder, 'packages'))), name: 'crossmap'};
}
