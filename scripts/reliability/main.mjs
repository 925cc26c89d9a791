// npm run reliability: soak, kill and fuzz, whole or, with --quick, a share of each that CI has time for.
import {parseArgs} from 'node:util';
import {addonFile, flavours, sanitizerEnvironment} from '../setup/addon.mjs';
import {runInTerminal} from '../setup/commands.mjs';
import {inRoot} from '../setup/places.mjs';
import {SetUpError, say, since, warn} from '../setup/say.mjs';
import {setUp} from '../setup/set-up.mjs';

/**
 * @typedef {object} Check
 * @property {string} what
 * @property {readonly string[]} node flags of Node
 * @property {string} size flag that says how much is done
 * @property {string} quick what of it with --quick
 */

const checks = /** @satisfies {Record<string, Check>} */ ({
  soak: {what: 'training for many steps', node: ['--expose-gc'], size: '--steps', quick: '600'},
  kill: {what: 'SIGKILL at random moments', node: [], size: '--kills', quick: '12'},
  fuzz: {what: 'random calls of the addon', node: [], size: '--calls', quick: '4000'},
});

/** @typedef {keyof typeof checks} Name */

/**
 * `npm run reliability -- fuzz --seed 3`: the names of checks, `--quick`, and flags that go on to the one check that is named.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit status: 1 where a check failed
 */
export async function runReliability(args) {
  const {names, quick, rest} = split(args);
  let status = 0;
  for (const name of names) {
    const start = performance.now();
    const {what, node, size, quick: share} = checks[name];
    const env = await environmentOf(name, rest);
    const script = inRoot('dist', 'test', 'reliability', name, 'main.js');
    say(`reliability: ${name}, ${what}`);
    const sized = quick && !rest.includes(size) ? [size, share] : [];
    const ended = await runInTerminal([process.execPath, ...node, script, ...sized, ...rest], {env});
    if (ended === 0) say(`reliability: ${name} passed; ${since(start)}`);
    else warn(`reliability: ${name} failed; ${since(start)}`);
    if (ended !== 0) status = 1;
  }
  return status;
}

/** @param {readonly string[]} args */
function split(args) {
  const known = /** @type {Name[]} */ (Object.keys(checks));
  const named = known.filter((name) => args[0] === name);
  const flags = named.length ? args.slice(1) : args;
  const {tokens} = parseArgs({args: [...flags], strict: false, tokens: true});
  const [stray] = tokens.filter((token) => token.kind === 'positional' && token.index === 0);
  if (stray) throw new SetUpError(`reliability: ${flags[0]} is not a check; there are ${known.join(', ')}`);
  const rest = flags.filter((flag) => flag !== '--quick');
  if (named.length === 0 && rest.length > 0)
    throw new SetUpError(`reliability: ${rest[0]} belongs to one check; name it: ${known.join(', ')}`);
  return {names: named.length ? named : known, quick: rest.length < flags.length, rest};
}

/**
 * Calls are made under sanitizers, which see what no crash shows; all else, and the emulated GPU, as users run it.
 *
 * @param {Name} name
 * @param {readonly string[]} flags
 */
async function environmentOf(name, flags) {
  const isEmulated = flags.join(' ').includes('simt');
  const flavour = isEmulated ? 'simt' : 'addon';
  if (name === 'fuzz' && !isEmulated) {
    await setUp(['packages', 'asan', 'types']);
    return sanitizerEnvironment();
  }
  await setUp(['packages', flavour, 'types']);
  return {...process.env, CROSSMAP_ADDON: addonFile(flavours[isEmulated ? 'simt' : 'cpu'])};
}
