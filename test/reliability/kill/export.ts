/** An export that is killed while it replaces earlier ones: what is there is always whole. */
import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {removeLeftovers} from '../../../lib/formats/index.js';
import {exportModel} from '../../../lib/train/index.js';
import {writeCorpus} from '../../train/tiny-run.js';
import {killAgainAndAgain, runUntil, type Kills} from './kills.js';
import {requireSame, treeOf} from './tree.js';

/** Long enough for some exports of either kind. */
const workMs = 1500;

export async function killExport(folder: string, kills: Kills): Promise<string> {
  await writeCorpus(folder);
  await runUntil('train', folder);
  const wanted = join(folder, 'wanted');
  await exportModel(join(folder, 'run'), join(wanted, 'model'));
  await exportModel(join(folder, 'run'), join(wanted, 'model.gguf'), {format: 'gguf'});
  const whole = await treeOf(wanted);
  const exported = join(folder, 'exported');
  await mkdir(exported);
  const seen = {both: 0, file: 0, between: 0, leftovers: 0};
  await killAgainAndAgain(kills, (killAfterMs) => runUntil('export', folder, killAfterMs), {
    tookMs: workMs,
    onDone: () => Promise.reject(new Error('the exports ended by themselves')),
    async afterKill() {
      seen.leftovers += await removeLeftovers(exported);
      const left = await readdir(exported);
      // A folder cannot take the place of another in one step: between two renames there is none. A file is always there.
      if (seen.both + seen.file > 0 && !left.includes('model.gguf')) throw new Error('the file is lost');
      const expected = [...whole].filter(([name]) => left.some((each) => name.split('/')[0] === each));
      requireSame(await treeOf(exported), new Map(expected));
      if (left.length === 2) seen.both++;
      else if (left.includes('model.gguf')) seen.between++;
      if (left.includes('model.gguf')) seen.file++;
    },
  });
  if (seen.both === 0 && kills.count > 5)
    throw new Error('no export was ever seen: the kills came too early');
  return `${seen.both} times both exports were there and whole, ${seen.between} times the folder was between two names, ${seen.leftovers} temporary ones were removed`;
}
