// npm run bench: benches one after another, each a program of its own, then a page of all figures.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileNameOf} from './gpu-check/gpus.mjs';
import {runInTerminal} from './setup/commands.mjs';
import {listFiles} from './setup/files.mjs';
import {inRoot, stateFolder} from './setup/places.mjs';
import {SetUpError, say, since, warn} from './setup/say.mjs';

/** Folders below bench in which each file is a bench. */
const folders = ['torch', 'node', 'scaling', 'ops', 'nn', 'data', 'product'];

/**
 * Names stand in front of flags, which pass on to each bench. `--out FOLDER` is where the figures go: a JSON file for each bench, and
 * index.md and index.html, which show all that the folder holds.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit status: 1 where a bench failed, which keeps none of the others from running
 */
export async function runBenches(args) {
  const {names, flags, out} = benchPlan(args, allBenches());
  const start = performance.now();
  const failed = [];
  for (const name of names) {
    const status = await runInTerminal([
      process.execPath,
      inRoot('dist', 'bench', `${name}.js`),
      ...flags,
      '--out',
      out,
    ]);
    if (status !== 0) failed.push(name);
  }
  if (fs.existsSync(out)) {
    await runInTerminal([process.execPath, inRoot('dist', 'bench', 'report', 'main.js'), '--out', out]);
  }
  say(`bench: ${names.length - failed.length} of ${names.length} benches; ${since(start)}`);
  if (failed.length > 0) warn(`bench: failed: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
}

/** Names of all benches, as on the command line: `ops/matmul`. */
export function allBenches() {
  return folders.flatMap((folder) =>
    listFiles([`bench/${folder}`], (file) => file.endsWith('.ts')).map((file) =>
      file.slice('bench/'.length, -3),
    ),
  );
}

/**
 * What is run, and where the figures go: a quick run's are of no worth and are not tracked. A name may be that of a folder.
 *
 * @param {readonly string[]} args
 * @param {readonly string[]} all
 * @returns {{names: readonly string[], flags: readonly string[], out: string}}
 */
export function benchPlan(args, all) {
  const flagsFrom = args.findIndex((arg) => arg.startsWith('-'));
  const named = flagsFrom === -1 ? args : args.slice(0, flagsFrom);
  const flags = flagsFrom === -1 ? [] : args.slice(flagsFrom);
  /** @param {string} name */
  const benchesOf = (name) => all.filter((each) => each === name || each.startsWith(`${name}/`));
  const unknown = named.find((name) => benchesOf(name).length === 0);
  if (unknown)
    throw new SetUpError(`bench: ${unknown} is no bench and no folder of them; there are ${all.join(', ')}`);
  const at = flags.findIndex((flag) => flag === '--out' || flag.startsWith('--out='));
  const [flag = ''] = flags.slice(at);
  const given = at === -1 ? undefined : flag === '--out' ? flags[at + 1] : flag.slice('--out='.length);
  if (given === undefined && at !== -1) throw new SetUpError('bench: --out needs a folder');
  const rest =
    at === -1 ? flags : flags.filter((_, index) => index !== at && !(flag === '--out' && index === at + 1));
  return {
    names: named.length > 0 ? [...new Set(named.flatMap(benchesOf))] : all,
    flags: rest,
    out: path.resolve(
      given ?? (flags.includes('--quick') ? path.join(stateFolder, 'bench') : resultsFolder()),
    ),
  };
}

function resultsFolder() {
  const program = inRoot('dist', 'bench', 'report', 'processor.js');
  const processor = execFileSync(process.execPath, [program], {encoding: 'utf8'});
  return inRoot('bench', 'results', `${fileNameOf(processor)}-${os.cpus().length}-cores`);
}
