// What is wanted of packages, unpacked once.
import fs from 'node:fs';
import path from 'node:path';
import {capture} from '../setup/commands.mjs';
import {SetUpError, say, since} from '../setup/say.mjs';
import {sha256Of} from './checksum.mjs';
import {bytesOf} from './packages.mjs';
import {withProgress} from './progress.mjs';

/** @typedef {import('./packages.mjs').Apt} Apt */
/** @typedef {import('./packages.mjs').Package} Package */
/** @typedef {import('./packages.mjs').Found} Found */

/** Of what a program says, for it may complain of every file. */
const fewLines = 10;

/**
 * The folders that hold what is wanted of packages. What was unpacked before is neither fetched nor unpacked again.
 *
 * @param {Apt} apt
 * @param {readonly Found[]} found
 * @returns {Promise<Map<Package, string>>}
 */
export async function unpackAll(apt, found) {
  const all = found.map((each) => ({...each, folder: folderOf(apt, each)}));
  const missing = all.filter(({folder}) => !fs.existsSync(folder));
  const folders = new Map(all.map(({wanted, folder}) => [wanted, folder]));
  if (missing.length === 0) return folders;
  const archives = missing.flatMap((each) => each.archives);
  await apt.fetch(archives);
  const start = performance.now();
  await withProgress({name: 'unpacking', total: bytesOf(archives), unit: 'MB'}, async (at) => {
    let done = 0;
    const read = (/** @type {number} */ bytes) => at((done += bytes));
    for (const {wanted, archives, folder} of missing)
      await unpack(
        folder,
        archives.map((archive) => apt.fileOf(archive)),
        {members: wanted.members, read},
      );
  });
  say(`unpacked in ${since(start)}`);
  return folders;
}

/**
 * Named by all that decides what is in it.
 *
 * @param {Apt} apt
 * @param {Found} found
 */
function folderOf({cache}, {wanted: {name, members}, archives}) {
  const content = JSON.stringify([members, archives.map(({sha256}) => sha256)]);
  const key = sha256Of(content).slice(0, 12);
  return path.join(cache, 'unpacked', `${name}-${key}`);
}

/**
 * Unpacks files into a folder, which appears whole or not at all.
 *
 * @param {string} folder
 * @param {readonly string[]} files
 * @param {{members: readonly string[], read: (bytes: number) => void}} options `read` is told what is read of the files
 */
async function unpack(folder, files, {members, read}) {
  const draft = `${folder}.new`;
  fs.rmSync(draft, {recursive: true, force: true});
  fs.mkdirSync(draft, {recursive: true});
  for (const file of files) {
    const input = fs.createReadStream(file);
    input.on('data', (chunk) => read(chunk.length));
    const {status, output} = await capture(commandOf(file, draft, members), {input});
    if (status === 0) continue;
    fs.rmSync(draft, {recursive: true, force: true});
    const lines = output.trimEnd().split('\n').slice(-fewLines).join('\n');
    throw new SetUpError(`corpora: ${file} could not be unpacked (status ${status}):\n${lines}`);
  }
  fs.renameSync(draft, folder);
}

/**
 * The command that unpacks what it reads.
 *
 * @param {string} file a binary package or a tape archive
 * @param {string} folder
 * @param {readonly string[]} members
 */
function commandOf(file, folder, members) {
  // What tar unpacks keeps its own times, modes and owners, which say nothing here.
  const tar = ['tar', '-C', folder, '--no-same-permissions', '--no-same-owner', '-m', '--wildcards'];
  if (!file.endsWith('.deb')) return [...tar, '-xJf', '-', ...members];
  return ['sh', '-c', 'dpkg-deb --fsys-tarfile - | "$@"', 'unpack', ...tar, '-xf', '-', ...members];
}
