/**
 * Kills training, the preparation of data, the writing of files and the export of models with SIGKILL at random moments, starts them again, and compares what
 * comes out with what a start that nobody killed gives. `npm run reliability -- kill` runs it; a difference ends it with status 1.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {createRandom} from '../random.js';
import {killData} from './data.js';
import {killExport} from './export.js';
import {killFiles} from './files.js';
import type {Kills} from './kills.js';
import {killTraining} from './training.js';

const {values: flags} = parseArgs({
  options: {kills: {type: 'string', default: '200'}, seed: {type: 'string', default: '1'}},
});
const kills = Number(flags.kills);
const seed = Number(flags.seed);

/** Who is killed, with its share of the kills. */
const victims = [
  {name: 'training', share: 0.5, kill: killTraining},
  {name: 'data', share: 0.2, kill: killData},
  {name: 'files', share: 0.1, kill: killFiles},
  {name: 'export', share: 0.2, kill: killExport},
] as const;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function killIn(
  name: string,
  kill: (folder: string, kills: Kills) => Promise<string>,
  count: number,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), `crossmap-kill-${name}-`));
  const start = performance.now();
  const random = createRandom(seed);
  try {
    const told = await kill(folder, {count, random});
    say(`kill: ${name}: ${count} kills, ${told}; ${((performance.now() - start) / 1000).toFixed(0)} s`);
    rmSync(folder, {recursive: true, force: true});
    return true;
  } catch (error) {
    say(
      `kill: ${name} FAILED with seed ${seed}; what is left is in ${folder}\n${error instanceof Error ? error.stack : String(error)}`,
    );
    return false;
  }
}

let isGood = true;
for (const {name, share, kill} of victims)
  isGood = (await killIn(name, kill, Math.max(1, Math.round(share * kills)))) && isGood;
process.exitCode = isGood ? 0 : 1;
