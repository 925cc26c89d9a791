/** The report of a run directory. */
import {readFile, rename, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {CrossmapError} from '../errors.js';
import {plural} from './format.js';
import {createHistory, type RunHistory} from './history.js';
import {readEvents} from './read-events.js';
import {renderHistory} from './report.js';

/**
 * Writes report.html from metrics.jsonl and config.json of a run directory. May be called at any time during the run: a
 * line that is only half written is left out, and the file is replaced in one go.
 *
 * @returns path of the report
 * @throws ERR_IO when metrics.jsonl or config.json cannot be read or the report cannot be written, ERR_DATA when it holds no event,
 *   ERR_FORMAT when config.json is not JSON
 */
export async function writeReport(runDirectory: string): Promise<string> {
  const metrics = join(runDirectory, 'metrics.jsonl');
  const {history, events, unread, writtenAt} = await readMetrics(metrics);
  if (events === 0)
    throw new CrossmapError('ERR_DATA', `writeReport: ${metrics} holds no event of a training run`);
  const config = await readConfig(join(runDirectory, 'config.json'));
  const notes =
    unread > 0 ? [`${plural(unread, 'line')} of metrics.jsonl could not be read and is left out.`] : [];
  const path = join(runDirectory, 'report.html');
  await writeAtOnce(path, renderHistory(history, {config, writtenAt, notes}));
  return path;
}

interface ReadMetrics {
  readonly history: RunHistory;
  readonly events: number;
  /** Lines that are no event, a cut last line aside. */
  readonly unread: number;
  /** When the file last changed. */
  readonly writtenAt: Date;
}

async function readMetrics(path: string): Promise<ReadMetrics> {
  const builder = createHistory();
  let [events, failed] = [0, 0];
  let lastFailed = false;
  try {
    const {mtime} = await stat(path);
    for await (const event of readEvents(path)) {
      lastFailed = event === undefined;
      if (event === undefined) failed++;
      else {
        events++;
        builder.note(event);
      }
    }
    return {history: builder.history(), events, unread: lastFailed ? failed - 1 : failed, writtenAt: mtime};
  } catch (cause) {
    throw new CrossmapError('ERR_IO', `writeReport: ${path} cannot be read: ${reason(cause)}`, {cause});
  }
}

/** A run without config.json has no configuration to show. */
async function readConfig(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new CrossmapError('ERR_IO', `writeReport: ${path} cannot be read: ${reason(cause)}`, {cause});
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CrossmapError('ERR_FORMAT', `writeReport: ${path} is not JSON: ${reason(cause)}`, {cause});
  }
}

/** A reader of the page sees the old report or the new one, never half of one. */
async function writeAtOnce(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, {force: true});
    throw new CrossmapError('ERR_IO', `writeReport: ${path} cannot be written: ${reason(cause)}`, {cause});
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
