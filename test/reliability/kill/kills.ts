/** Children that are killed. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import type {Random} from '../random.js';

/** How often, and when. */
export interface Kills {
  readonly count: number;
  readonly random: Random;
}

/** The works of child.ts. */
export type Work = 'train' | 'data' | 'files' | 'export';

/** How a child ended. */
export interface EndedChild {
  readonly isKilled: boolean;
  /** Milliseconds from the moment at which its modules were there. */
  readonly tookMs: number;
}

/**
 * Does a work in a child, which is killed so many milliseconds after its modules were there.
 *
 * @throws an error where it ended in another way than by this kill, or by being done
 */
export async function runUntil(work: Work, folder: string, killAfterMs = Infinity): Promise<EndedChild> {
  const script = fileURLToPath(new URL('./child.js', import.meta.url));
  const child = spawn(process.execPath, [script, work, folder], {stdio: ['ignore', 'pipe', 'pipe']});
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exit = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), exit]);
  const start = performance.now();
  const timer = Number.isFinite(killAfterMs)
    ? setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    : undefined;
  const [code, signal] = (await exit) as [number | null, string | null];
  clearTimeout(timer);
  if (signal !== 'SIGKILL' && code !== 0)
    throw new Error(`the child ended with ${signal ?? code}: ${errors}`);
  return {isKilled: signal === 'SIGKILL', tookMs: performance.now() - start};
}

/** Of the time that a work takes from its beginning: a start that goes on takes less, and is to be killed mostly too. */
const mostOfIt = 0.7;

/**
 * Kills a work `count` times, at moments from 0 to the milliseconds that it takes by itself. One that is done before it was killed
 * is handed to `onDone`, which clears it away.
 *
 * @param afterKill looks at what is left
 */
export async function killAgainAndAgain(
  {count, random}: Kills,
  run: (killAfterMs: number) => Promise<EndedChild>,
  {tookMs, onDone, afterKill}: {tookMs: number; onDone: () => Promise<void>; afterKill: () => Promise<void>},
): Promise<void> {
  for (let killed = 0; killed < count;) {
    const {isKilled} = await run(mostOfIt * tookMs * random.uniform());
    if (isKilled) {
      killed++;
      await afterKill();
    } else await onDone();
  }
}
