// npm run release -- --registry URL: builds all packages and publishes them, crossmap itself last.
import fs from 'node:fs';
import {parseArgs} from 'node:util';
import {capture, npmCommand} from '../setup/commands.mjs';
import {readJson} from '../setup/files.mjs';
import {inRoot} from '../setup/places.mjs';
import {SetUpError, say} from '../setup/say.mjs';
import {packCrossmap} from './pack.mjs';
import {makePrebuilt, megabytes} from './prebuilt.mjs';

/** @typedef {import('./pack.mjs').Archive & {name: string}} Package */

const usage = `npm run release -- --registry URL [--tag TAG] [--only PACKAGE]... [--dry-run] [--rehearsal]
  --registry   where to publish; there is no default
  --tag        of npm; default latest
  --only       of the packages with the addon, those to make; default all that this machine can build
  --dry-run    make and check everything, and publish nothing
  --rehearsal  for a registry on this machine: a tree with changes, and a version that the changelog calls unreleased, will do`;

/** @param {readonly string[]} args */
export async function release(args) {
  const {registry, tag, only, isDry, isRehearsal} = parse(args);
  const {version} = readJson(inRoot('package.json'));
  if (!isRehearsal) await refuseUnready(version);
  const prebuilt = await makePrebuilt(only);
  if (prebuilt.length === 0)
    throw new SetUpError('release: this machine can build no package with the addon');
  const packages = [...prebuilt, await packCrossmap(prebuilt.map(({name}) => name))];
  for (const each of packages) {
    const size = `${megabytes(each.bytes)} packed, ${megabytes(each.unpackedBytes)} unpacked`;
    const isThere = await isPublished(each, version, registry);
    if (!isThere && !isDry) await publish(each, {registry, tag});
    const done = isThere ? 'is there already' : isDry ? 'would be published' : 'is published';
    say(`${each.name}@${version} ${done}: ${size}`);
  }
}

/** @param {readonly string[]} args */
function parse(args) {
  const {values} = parseArgs({
    args: [...args],
    options: {
      registry: {type: 'string'},
      tag: {type: 'string', default: 'latest'},
      only: {type: 'string', multiple: true, default: []},
      'dry-run': {type: 'boolean', default: false},
      rehearsal: {type: 'boolean', default: false},
    },
  });
  const {registry = '', tag, only} = values;
  const url = URL.parse?.(registry) ?? (URL.canParse(registry) ? new URL(registry) : null);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new SetUpError(`release: --registry must be a URL; got ${registry || 'nothing'}\n${usage}`);
  if (values.rehearsal && !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname))
    throw new SetUpError(`release: --rehearsal is for a registry on this machine; got ${registry}`);
  return {registry: url.href, tag, only, isDry: values['dry-run'], isRehearsal: values.rehearsal};
}

/**
 * What is published is what a commit has, and the changelog says what is in it.
 *
 * @param {string} version
 */
async function refuseUnready(version) {
  const {status, output} = await capture(['git', 'status', '--porcelain']);
  if (status !== 0) throw new SetUpError(`release: this is no checkout of git: ${output.trim()}`);
  if (output !== '')
    throw new SetUpError(`release: there are changes that no commit has:\n${output.trimEnd()}`);
  const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')}(?: |$)`, 'm');
  if (!heading.test(fs.readFileSync(inRoot('CHANGELOG.md'), 'utf8')))
    throw new SetUpError(`release: CHANGELOG.md has no heading "## ${version}"`);
}

/**
 * Whether a registry has it: a release that broke off goes on where it stopped.
 *
 * @param {Package} each
 * @param {string} version
 * @param {string} registry
 */
async function isPublished({name, integrity}, version, registry) {
  const view = ['view', `${name}@${version}`, 'dist.integrity', '--registry', registry, '--fetch-retries=1'];
  const {status, output, printed} = await capture([...npmCommand(), ...view]);
  const found = printed.trim();
  if (status !== 0 && !output.includes('E404'))
    throw new SetUpError(`release: ${registry} cannot be asked for ${name}@${version}: ${output.trim()}`);
  if (status !== 0 || found === '') return false;
  if (found === integrity) return true;
  throw new SetUpError(
    `release: ${registry} has another ${name}@${version}: raise the version in package.json`,
  );
}

/**
 * @param {Package} each
 * @param {{registry: string, tag: string}} options
 */
async function publish({name, file}, {registry, tag}) {
  const command = ['publish', file, '--registry', registry, '--tag', tag, '--access', 'public'];
  const {status, output} = await capture([...npmCommand(), ...command, '--ignore-scripts']);
  if (status !== 0) throw new SetUpError(`release: ${name} is not published: ${output.trim()}`);
}
