// Debian packages: found and fetched by apt's own programs, into a folder of ours and without being root.
import fs from 'node:fs';
import path from 'node:path';
import {capture, isOnPath} from '../setup/commands.mjs';
import {SetUpError, say, since, warn} from '../setup/say.mjs';
import {sha256OfFile} from './checksum.mjs';
import {watch, withProgress} from './progress.mjs';

/**
 * What is taken of a package, binary or source.
 *
 * @typedef {object} Package
 * @property {string} name
 * @property {'binary' | 'source'} kind
 * @property {RegExp} file which of the package's files
 * @property {readonly string[]} members patterns of what is unpacked
 */

/** @typedef {{readonly name: string, readonly sha256: string, readonly bytes: number, readonly address: string}} Archive */

/** @typedef {{readonly wanted: Package, readonly archives: readonly Archive[]}} Found */

/** The release that all packages are of: with another one the text would be another. */
const release = 'bookworm';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const helper = '/usr/lib/apt/apt-helper';
const usualMirror = 'http://deb.debian.org/debian';

const hint = 'or convert prepared corpora with --from FOLDER';

/** apt with a state of its own: the system's is neither read nor changed. */
export class Apt {
  /** @param {string} cache absolute; downloads are kept in it */
  constructor(cache) {
    this.cache = cache;
    this.state = path.join(this.cache, 'apt');
    this.options = [
      `Dir::State=${this.state}/state`,
      `Dir::State::status=${this.state}/status`,
      `Dir::Cache=${this.state}/cache`,
      `Dir::Etc::sourcelist=${this.state}/sources.list`,
      'Dir::Etc::sourceparts=/dev/null',
      'APT::Architecture=amd64',
      'APT::Architectures=amd64',
      'APT::Sandbox::User=',
      'Acquire::Languages=none',
    ].flatMap((option) => ['-o', option]);
  }

  /**
   * Brings the lists of packages up to date; old ones do where that fails.
   *
   * @returns {Promise<void>}
   */
  async update() {
    checkPrograms();
    for (const folder of ['state/lists/partial', 'cache/archives/partial'])
      fs.mkdirSync(path.join(this.state, folder), {recursive: true});
    fs.writeFileSync(path.join(this.state, 'status'), '');
    const mirror = await mirrorOfSystem();
    const line = `[signed-by=${keyring}] ${mirror} ${release} main\n`;
    fs.writeFileSync(path.join(this.state, 'sources.list'), `deb ${line}deb-src ${line}`);
    const lists = path.join(this.state, 'state/lists');
    const name = 'reading the lists of Debian packages';
    say(name);
    const command = ['apt-get', ...this.options, '-q', '--error-on=any', 'update'];
    const {status, output} = await withProgress({name, unit: 'MB'}, (at) =>
      watch(capture(command), () => at(sizeBelow(path.join(lists, 'partial')))),
    );
    if (status === 0) return;
    if (!fs.readdirSync(lists).some((name) => name.endsWith('Release')))
      throw new SetUpError(
        `corpora: the lists of Debian packages cannot be read; try again later, ${hint}:\n${output}`,
      );
    warn('the lists of Debian packages could not be brought up to date; those of the last time are used');
  }

  /**
   * The files that are wanted of each package, in order of their names.
   *
   * @param {readonly Package[]} packages
   * @returns {Promise<Found[]>}
   */
  async find(packages) {
    const named = (/** @type {Package['kind']} */ wanted) =>
      packages.filter(({kind}) => kind === wanted).map(({name}) => name);
    const output = [
      await this.addresses(['download', ...named('binary')]),
      await this.addresses(['--download-only', '--only-source', 'source', ...named('source')]),
    ].join('\n');
    const all = [...output.matchAll(/^'([^']+)' (\S+) (\d+) SHA256:([0-9a-f]{64})/gm)].map(
      ([, address = '', stored = '', bytes, sha256 = '']) => ({
        address,
        name: decodeURIComponent(stored),
        bytes: Number(bytes),
        sha256,
      }),
    );
    return packages.map((wanted) => {
      const {name, kind, file} = wanted;
      const own = all.filter((archive) => archive.name.startsWith(`${name}_`) && file.test(archive.name));
      if (own.length === 0)
        throw new SetUpError(
          `corpora: Debian ${release} has no ${kind} package ${name} with a file ${file}; remove ${this.cache} to begin anew, ${hint}:\n${output}`,
        );
      return {wanted, archives: own.sort((a, b) => (a.name < b.name ? -1 : 1))};
    });
  }

  /** @param {readonly string[]} command of apt-get */
  async addresses(command) {
    const names = command.filter((word) => !word.startsWith('-'));
    if (names.length === 1) return ''; // apt's own command, and no package
    return (await capture(['apt-get', ...this.options, '-q', '--print-uris', ...command])).output;
  }

  /**
   * Fetches files, but those that the cache holds.
   *
   * @param {readonly Archive[]} archives
   * @returns {Promise<void>}
   */
  async fetch(archives) {
    /** @type {Archive[]} */
    const missing = [];
    for (const archive of archives) if (!(await this.holds(archive))) missing.push(archive);
    if (missing.length === 0) return;
    const start = performance.now();
    const total = bytesOf(missing);
    fs.mkdirSync(path.join(this.cache, 'archives'), {recursive: true});
    await withProgress({name: 'fetching', total, unit: 'MB'}, async (at) => {
      let before = 0;
      for (const archive of missing) {
        const draft = draftOf(this.fileOf(archive));
        await watch(this.download(archive), () => at(before + sizeOf(draft)));
        before += archive.bytes;
      }
    });
    say(`files fetched: ${missing.length}, ${megabytes(total)}, in ${since(start)}`);
  }

  /** @param {Archive} archive */
  fileOf({name}) {
    return path.join(this.cache, 'archives', name);
  }

  /** @param {Archive} archive */
  async holds(archive) {
    const file = this.fileOf(archive);
    if (!fs.existsSync(file)) return false;
    if ((await sha256OfFile(file)) === archive.sha256) return true;
    warn(`${file} does not have the checksum of the list of packages: it is fetched again`);
    return false;
  }

  /** @param {Archive} archive */
  async download(archive) {
    const {name, address, sha256} = archive;
    const file = this.fileOf(archive);
    const draft = draftOf(file);
    const command = [helper, ...this.options, 'download-file', address, draft, `SHA256:${sha256}`];
    const {status, output} = await capture(command);
    if (status === 0 && (await sha256OfFile(draft)) === sha256) return fs.renameSync(draft, file);
    fs.rmSync(draft, {force: true});
    throw new SetUpError(
      `corpora: ${name} could not be fetched. The files before it are kept; try again later, ${hint}:\n${output}`,
    );
  }
}

/** @param {string} file */
function draftOf(file) {
  return `${file}.new`;
}

/** @param {string} file */
function sizeOf(file) {
  return fs.statSync(file, {throwIfNoEntry: false})?.size ?? 0;
}

/** @param {string} folder */
function sizeBelow(folder) {
  return fs.readdirSync(folder).reduce((sum, name) => sum + sizeOf(path.join(folder, name)), 0);
}

/** @param {readonly Archive[]} archives */
export function bytesOf(archives) {
  return archives.reduce((sum, {bytes}) => sum + bytes, 0);
}

function checkPrograms() {
  const missing = ['apt-get', 'dpkg-deb', 'tar', 'xz'].filter((program) => !isOnPath(program));
  for (const file of [helper, keyring]) if (!fs.existsSync(file)) missing.push(file);
  if (missing.length > 0)
    throw new SetUpError(
      `corpora: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not on this system. The corpora are made on Debian, or on a system with its package tools and the package debian-archive-keyring; ${hint}`,
    );
}

/**
 * The version in the name of a package's file.
 *
 * @param {string} name `wesnoth-1.16-data_1:1.16.9-1_all.deb`, `libreoffice_7.4.7.orig-translations.tar.xz`
 */
export function versionOf(name) {
  return name.split('_')[1]?.replace(/\.(?:orig|tar)\b.*$/, '') ?? '';
}

/** The mirror that the system takes Debian from, which may be near and allowed where the usual one is not. */
async function mirrorOfSystem() {
  const {status, output} = await capture([
    'apt-get',
    'indextargets',
    '--format',
    '$(ORIGIN) $(LABEL) $(REPO_URI)',
    'Created-By: Packages',
  ]);
  const mirror = /^Debian Debian (\S+)$/m.exec(output)?.[1];
  return status === 0 && mirror !== undefined ? mirror : usualMirror;
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}
