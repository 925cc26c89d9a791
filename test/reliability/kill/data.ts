/** The preparation of data that is killed: it comes to the same bytes, and leaves nothing else. */
import {mkdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {writeCorpus} from '../../train/tiny-run.js';
import {killAgainAndAgain, runUntil, type Kills} from './kills.js';
import {requireSame, treeOf} from './tree.js';

export async function killData(folder: string, kills: Kills): Promise<string> {
  await writeCorpus(folder, 4000);
  const {tookMs} = await runUntil('data', folder);
  const output = join(folder, 'run');
  await rename(output, join(folder, 'whole'));
  const wanted = await treeOf(join(folder, 'whole'));
  let done = 0;
  const finish = async (): Promise<void> => {
    requireSame(await treeOf(output), wanted);
    await rm(output, {recursive: true});
    done++;
  };
  await mkdir(output);
  await killAgainAndAgain(kills, (killAfterMs) => runUntil('data', folder, killAfterMs), {
    tookMs,
    onDone: finish,
    afterKill: () => Promise.resolve(),
  });
  await runUntil('data', folder);
  await finish();
  return `${done} times the same ${wanted.size} files`;
}
