// npm run instructions: counts what kernels execute under callgrind, and keeps it in bench/results/instructions.json.
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {addonFile, flavours} from '../setup/addon.mjs';
import {capture, isOnPath} from '../setup/commands.mjs';
import {readJson} from '../setup/files.mjs';
import {inRoot, stateFolder} from '../setup/places.mjs';
import {SetUpError, say, since, warn} from '../setup/say.mjs';
import {taskInstructions} from './callgrind.mjs';
import {changes, compilerOf, recordText} from './record.mjs';

const recordFile = inRoot('bench', 'results', 'instructions.json');

/** Valgrind knows no AVX-512. */
const instructionSet = 'avx2';

/**
 * Flags: `--check` writes nothing and fails where a count differs from the record by more than 1 %.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit status: 0 too where nothing can be counted or compared, which it says
 */
export async function runInstructions(args) {
  const {check} = parseArgs({args: [...args], options: {check: {type: 'boolean', default: false}}}).values;
  const start = performance.now();
  if (!isOnPath('valgrind')) {
    warn('instructions: SKIPPED, there is no valgrind here (on Debian, apt-get install valgrind)');
    return 0;
  }
  const counted = await count();
  if (counted.instructionSet !== instructionSet) {
    warn(`instructions: SKIPPED, this processor has no ${instructionSet}`);
    return 0;
  }
  const kernels = Object.entries(counted.kernels);
  for (const [name, {shape, instructions}] of kernels) say(`${name}, ${shape}: ${instructions} instructions`);
  if (!check) {
    fs.writeFileSync(recordFile, recordText(counted));
    say(`instructions: ${kernels.length} kernels recorded; ${since(start)}`);
    return 0;
  }
  return compare(counted, start);
}

/**
 * @param {import('./record.mjs').InstructionRecord} counted
 * @param {number} start
 */
function compare({compiler, kernels}, start) {
  /** @type {import('./record.mjs').InstructionRecord | undefined} */
  const before = readJson(recordFile);
  if (!before) throw new SetUpError('instructions: there is no record yet: npm run instructions');
  // Another compiler writes other instructions.
  if (before.compiler !== compiler) {
    warn(`instructions: recorded with ${before.compiler}, this is ${compiler}: counts are not compared`);
    return 0;
  }
  const changed = changes(kernels, before.kernels);
  for (const change of changed) warn(`instructions: ${change}`);
  if (changed.length > 0) {
    warn('instructions: bench/results/instructions.json is stale: npm run instructions');
    return 1;
  }
  say(`instructions: ${Object.keys(kernels).length} kernels are as recorded; ${since(start)}`);
  return 0;
}

/** @returns {Promise<import('./record.mjs').InstructionRecord>} */
async function count() {
  const addon = addonFile(flavours.cpu);
  const file = path.join(stateFolder, 'callgrind.out');
  fs.mkdirSync(stateFolder, {recursive: true});
  const {status, output} = await capture(
    [
      'valgrind',
      '--quiet',
      '--vgdb=no',
      '--tool=callgrind',
      `--callgrind-out-file=${file}`,
      process.execPath,
      inRoot('dist', 'bench', 'instructions', 'run.js'),
    ],
    {env: {...process.env, CROSSMAP_ADDON: addon, CROSSMAP_DEVICE: 'cpu', CROSSMAP_ISA: instructionSet}},
  );
  const lines = output.trimEnd().split('\n');
  if (status !== 0) throw new SetUpError(`valgrind ended with ${status}:\n\n${lines.slice(-20).join('\n')}`);
  /** @type {{instructionSet: string, shapes: Readonly<Record<string, string>>}} */
  const {instructionSet: used, shapes} = JSON.parse(lines.at(-1) ?? '');
  const counts = taskInstructions(fs.readFileSync(file, 'utf8'));
  const kernels = Object.entries(shapes).map(([name, shape]) => {
    const instructions = counts[name];
    if (instructions === undefined) throw new SetUpError(`instructions: no task of ${name} was counted`);
    return [name, {shape, instructions: Math.round(instructions)}];
  });
  return {
    compiler: compilerOf(fs.readFileSync(addon)),
    instructionSet: used,
    kernels: Object.fromEntries(kernels),
  };
}
