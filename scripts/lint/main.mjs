// npm run lint: types of the scripts, oxlint, prettier, clang-format and the house rules, side by side.
// (The types of lib and test are checked by the set-up, which compiles them.)
import {capture, firstLine, isOnPath} from '../setup/commands.mjs';
import {toolScript} from '../setup/places.mjs';
import {say, since, warn} from '../setup/say.mjs';
import {checkHouse} from './house.mjs';
import {readProject} from './project.mjs';

/** The version that native is formatted with; others lay out some lines differently. */
const clangFormatMajor = 14;

const prettier = toolScript('prettier', 'bin/prettier.cjs');

/**
 * @typedef {{name: string, ok: boolean, output: string}} Result
 */

/** @returns {Promise<number>} the exit status */
export async function runLint() {
  const start = performance.now();
  const node = process.execPath;
  const results = await Promise.all([
    run('types of scripts', [
      node,
      toolScript('typescript', 'bin/tsc'),
      '-p',
      'scripts',
      '--pretty',
      'false',
    ]),
    run('oxlint', [node, toolScript('oxlint', 'bin/oxlint'), '--format=unix']),
    run('prettier', [node, prettier, '--check', '--log-level=warn', '.']),
    clangFormat('--dry-run', '-Werror'),
    house(),
  ]);
  for (const {ok, output} of results)
    if (!ok || output.includes('warning')) process.stdout.write(`${output.trimEnd()}\n`);
  const failed = results.filter(({ok}) => !ok).map(({name}) => name);
  if (failed.length) warn(`lint failed in ${since(start)}: ${failed.join(', ')}`);
  else say(`lint passed in ${since(start)}: ${results.map(({name}) => name).join(', ')}`);
  return failed.length ? 1 : 0;
}

/**
 * @param {string} name
 * @param {readonly string[]} command
 * @returns {Promise<Result>}
 */
async function run(name, command) {
  const {status, output} = await capture(command);
  return {name, ok: status === 0, output};
}

/**
 * Lays out all files as the lint wants them.
 *
 * @returns {Promise<number>} the exit status
 */
export async function runFormat() {
  const results = await Promise.all([
    run('prettier', [process.execPath, prettier, '--write', '--log-level=warn', '.']),
    clangFormat('-i'),
  ]);
  for (const {ok, output} of results) if (!ok) process.stdout.write(`${output.trimEnd()}\n`);
  say(`formatted: ${results.map(({name}) => name).join(', ')}`);
  return results.every(({ok}) => ok) ? 0 : 1;
}

/**
 * @param {readonly string[]} mode
 * @returns {Promise<Result>}
 */
async function clangFormat(...mode) {
  const program = [`clang-format-${clangFormatMajor}`, 'clang-format'].find(isOnPath);
  const version = program && firstLine([program, '--version']);
  if (!program || !version?.includes(`version ${clangFormatMajor}.`)) {
    return {name: `clang-format (skipped: version ${clangFormatMajor} is not here)`, ok: true, output: ''};
  }
  const files = [...readProject().keys()].filter((file) => /^native\/.*\.(cc|h|cu|cuh)$/.test(file));
  if (!files.length) return {name: 'clang-format', ok: true, output: ''};
  return run('clang-format', [program, ...mode, ...files]);
}

/** @returns {Promise<Result>} */
async function house() {
  const found = checkHouse(readProject());
  const output = found.map(
    ({file, line, rule, message, level}) => `${file}:${line}: ${level}: ${message} [${rule}]`,
  );
  return {name: 'house rules', ok: found.every(({level}) => level !== 'error'), output: output.join('\n')};
}
