// npm run static: builds the addon with CUDA and keeps what each kernel needs in bench/results/static.json.
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {findNvcc, nvccVersion} from '../setup/cuda.mjs';
import {readJson, writeJson} from '../setup/files.mjs';
import {inRoot} from '../setup/places.mjs';
import {SetUpError, say, since, warn} from '../setup/say.mjs';
import {builtKernels, compileFiles} from './compile.mjs';
import {recordLaunches} from './launches.mjs';
import {
  differences,
  growth,
  mainLoopSpills,
  recordKernels,
  recordText,
  relaunchKernels,
  unknownLaunches,
} from './record.mjs';

const recordFile = inRoot('bench', 'results', 'static.json');
const outcomeFile = inRoot('.setup', 'static.json');

/**
 * Flags: `--check` writes nothing and fails where the record is stale; `--accept REASON` records growth with its
 * reason; `--occupancy` compiles nothing and only looks again at how kernels are launched. With files it prints their
 * figures and leaves the record alone. The outcome is in .setup/static.json.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit status: 0 too where there is no nvcc, which the outcome says
 */
export async function runStatic(args) {
  const {values: flags, positionals: files} = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      check: {type: 'boolean', default: false},
      accept: {type: 'string'},
      occupancy: {type: 'boolean', default: false},
    },
  });
  if (flags.occupancy) return keepOccupancy();
  const nvcc = findNvcc();
  if (!nvcc) {
    warn('static: SKIPPED, there is no nvcc here: no kernel was compiled, nothing was compared');
    writeJson(outcomeFile, {status: 'no-nvcc'});
    return 0;
  }
  return files.length ? printFiles(nvcc, files) : keepRecord(nvcc, flags);
}

/** Computes the record's occupancy for the launches of now; what the compiler said stays. */
async function keepOccupancy() {
  /** @type {import('./record.mjs').StaticRecord | undefined} */
  const before = readJson(recordFile);
  if (!before) throw new SetUpError(`static: there is no bench/results/static.json yet: npm run static`);
  const launches = await recordLaunches();
  const kernels = relaunchKernels(before.kernels, launches);
  fs.writeFileSync(recordFile, recordText({...before, kernels}));
  say(`static: ${Object.keys(kernels).length} kernels recorded with their occupancy; nothing was compiled`);
  return 0;
}

/**
 * @param {string} nvcc
 * @param {readonly string[]} files
 */
async function printFiles(nvcc, files) {
  const {kernels, problems} = await figuresOf(await compileFiles(nvcc, files));
  for (const line of tableOf(kernels)) process.stdout.write(`${line}\n`);
  const all = [...problems, ...mainLoopSpills(kernels)];
  for (const problem of all) warn(problem);
  return all.length ? 1 : 0;
}

/**
 * @param {string} nvcc
 * @param {{check: boolean, accept?: string | undefined}} flags
 */
async function keepRecord(nvcc, {check, accept}) {
  if (accept?.trim() === '') throw new SetUpError('static: --accept needs a reason, which is recorded');
  const start = performance.now();
  const version = nvccVersion(nvcc);
  const {kernels, problems, slowest} = await figuresOf(await builtKernels());
  /** @type {import('./record.mjs').StaticRecord} */
  const before = readJson(recordFile) ?? {nvcc: version, kernels: {}, accepted: []};
  // Another compiler gives other figures: then only what is wrong in itself counts.
  const isSameNvcc = before.nvcc === version;
  if (!isSameNvcc)
    warn(`static: recorded with nvcc ${before.nvcc}, this is ${version}: figures are not compared`);
  const isComparable = isSameNvcc && problems.length === 0;
  const grown = isComparable ? growth(kernels, before.kernels) : [];
  const stale = isComparable && check ? differences(kernels, before.kernels) : [];
  const failures = [
    ...problems,
    ...mainLoopSpills(kernels),
    ...(accept === undefined ? grown : []),
    ...(grown.length
      ? []
      : stale.map((each) => `bench/results/static.json is stale: ${each}; npm run static`)),
  ];
  for (const failure of failures) warn(`static: ${failure}`);
  if (grown.length && accept === undefined)
    warn('static: if growth must be: npm run static -- --accept "REASON"');
  writeJson(outcomeFile, {
    status: failures.length ? 'failed' : 'passed',
    nvcc: version,
    seconds: Math.round((performance.now() - start) / 1000),
    slowest,
    failures,
  });
  if (failures.length) return 1;
  if (!check) {
    const accepted = accept !== undefined && grown.length ? [{reason: accept, grown}] : [];
    fs.mkdirSync(path.dirname(recordFile), {recursive: true});
    fs.writeFileSync(
      recordFile,
      recordText({nvcc: version, kernels, accepted: [...before.accepted, ...accepted]}),
    );
  }
  say(
    `static: ${Object.keys(kernels).length} kernels ${check ? 'are as recorded' : 'recorded'}; ${since(start)}`,
  );
  return 0;
}

/** @param {readonly import('./compile.mjs').Compiled[]} compiled */
async function figuresOf(compiled) {
  const launches = await recordLaunches();
  const slow = [...compiled].sort((a, b) => b.seconds - a.seconds)[0];
  const all = compiled.flatMap(({kernels}) => kernels);
  return {
    kernels: recordKernels(all, launches),
    problems: [...compiled.flatMap(({complaints}) => complaints), ...unknownLaunches(all, launches)],
    slowest: slow && {file: slow.file, seconds: Math.round(slow.seconds * 10) / 10},
  };
}

/** @param {Readonly<Record<string, import('./record.mjs').KernelRecord>>} kernels */
function tableOf(kernels) {
  return Object.entries(kernels).flatMap(([name, {threads, architectures}]) => [
    `${name} (${threads ?? 'no launch bounds'})`,
    ...Object.entries(architectures).map(
      ([architecture, {registers, spillStores, spillLoads, stackBytes, occupancy, limit}]) =>
        `  ${architecture.padEnd(7)} ${registers} registers, spills ${spillStores} + ${spillLoads}, stack ${stackBytes}, ` +
        `occupancy ${Math.round(occupancy * 100)} % by ${limit}`,
    ),
  ]);
}
