/** Training that is killed: it comes to the same weights, moments and events, and leaves nothing else. */
import {existsSync} from 'node:fs';
import {readFile, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {openCheckpoint} from '../../../lib/train/checkpoint.js';
import {listCheckpoints} from '../../../lib/train/checkpoint-list.js';
import {writeCorpus} from '../../train/tiny-run.js';
import {killAgainAndAgain, runUntil, type Kills} from './kills.js';
import {requireSame, treeOf} from './tree.js';

/** Members of events that tell times. */
const timed = ['seconds', 'tokensPerSecond', 'etaSeconds', 'peakBytes'];

export async function killTraining(folder: string, kills: Kills): Promise<string> {
  await writeCorpus(folder);
  const {tookMs} = await runUntil('train', folder);
  const output = join(folder, 'run');
  const whole = join(folder, 'whole');
  await rename(output, whole);
  const wanted = await treeOf(whole);
  const wantedEvents = await eventsIn(whole);
  let done = 0;
  let newest = 0;
  const finish = async (): Promise<void> => {
    requireSame(await treeOf(output), wanted, ['metrics.jsonl']);
    requireSameEvents(await eventsIn(output), wantedEvents);
    await rm(output, {recursive: true});
    done++;
    newest = 0;
  };
  const afterKill = async (): Promise<void> => {
    const last = (await listCheckpoints(join(output, 'checkpoints'))).at(-1);
    const step = last === undefined ? 0 : (await openCheckpoint(last.path)).step;
    if (step < newest)
      throw new Error(`the checkpoint of step ${newest} is lost: the newest is that of ${step}`);
    newest = step;
  };
  const run = (killAfterMs: number) => runUntil('train', folder, killAfterMs);
  await killAgainAndAgain(kills, run, {tookMs, onDone: finish, afterKill});
  await runUntil('train', folder);
  await finish();
  return `${done} times the same ${wanted.size} files and ${wantedEvents.size} events as in ${Math.round(tookMs)} ms without kills`;
}

/**
 * What a run tells, by type and step: the last time counts, for steps behind the checkpoint that a run goes on from are told again. The
 * events of a start are left out, those that were killed have some of their own.
 */
async function eventsIn(output: string): Promise<ReadonlyMap<string, string>> {
  const file = join(output, 'metrics.jsonl');
  if (!existsSync(file)) return new Map();
  const events = new Map<string, string>();
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const event = parsed(line);
    if (event === undefined) continue;
    if (event['type'] === 'start') {
      // One that was killed between a checkpoint and its line tells of it by this alone.
      const from = event['resumedFrom'];
      if (from !== 0) events.set(`resumed ${String(from)}`, '');
      continue;
    }
    const told = Object.entries(event).filter(([name]) => !timed.includes(name));
    events.set(`${String(event['type'])} ${String(event['step'])}`, JSON.stringify(told));
  }
  return events;
}

/** A line of a killed run may be half of one. */
function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function requireSameEvents(got: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): void {
  for (const [name, event] of wanted) {
    const isTold = got.has(name) || !got.has(name.replace('checkpoint', 'resumed'));
    if (isTold && got.get(name) !== event)
      throw new Error(`event ${name} differs:\n${got.get(name)}\n${event}`);
  }
  const more = [...got.keys()].filter((name) => !wanted.has(name) && !name.startsWith('resumed'));
  if (more.length > 0) throw new Error(`events that a run without kills does not have: ${more.join()}`);
}
