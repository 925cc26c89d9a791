/** A writer of a safetensors file that is killed: what is there is always one whole version. */
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {readSafetensors, removeLeftovers} from '../../../lib/formats/index.js';
import {killAgainAndAgain, runUntil, type Kills} from './kills.js';

/** Long enough for some versions. */
const workMs = 1500;

export async function killFiles(folder: string, kills: Kills): Promise<string> {
  let seen = 0;
  let leftovers = 0;
  await killAgainAndAgain(kills, (killAfterMs) => runUntil('files', folder, killAfterMs), {
    tookMs: workMs,
    onDone: () => Promise.reject(new Error('the writer ended by itself')),
    async afterKill() {
      leftovers += await removeLeftovers(folder);
      const left = await readdir(folder);
      if (left.some((name) => name !== 'weights.safetensors')) throw new Error(`left behind: ${left.join()}`);
      if (left.length === 0) {
        if (seen > 0) throw new Error('the file that was there is lost');
        return;
      }
      await requireWhole(join(folder, 'weights.safetensors'));
      seen++;
    },
  });
  if (seen === 0 && kills.count > 5) throw new Error('no version was ever seen: the kills came too early');
  return `${seen} times a whole file was there, ${leftovers} temporary ones were removed`;
}

/** All tensors hold the number of one version. */
async function requireWhole(path: string): Promise<void> {
  const file = await readSafetensors(path);
  const versions = new Set<number>();
  for (const name of ['a', 'b', 'c'])
    for (const value of new Float32Array((await file.read(name)).slice().buffer)) versions.add(value);
  if (versions.size !== 1) throw new Error(`${path} holds the versions ${[...versions].slice(0, 5).join()}`);
}
