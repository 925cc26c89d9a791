/** The events of a run as its file tells them. */
import {open} from 'node:fs/promises';
import type {TrainEvent} from '../train/events.js';
import {eventSchema} from './event-schema.js';

/**
 * The lines of metrics.jsonl one after the other, as far as the file reached when it was opened.
 *
 * @returns undefined for a line that is no event: a process that was killed may have left half of one
 */
export async function* readEvents(path: string): AsyncGenerator<TrainEvent | undefined, void, undefined> {
  const file = await open(path);
  try {
    const {size} = await file.stat();
    if (size === 0) return;
    for await (const line of file.readLines({end: size - 1, autoClose: false}))
      if (line.trim() !== '') yield parseEvent(line);
  } finally {
    await file.close();
  }
}

function parseEvent(line: string): TrainEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // a line cut by a kill is no JSON
  }
}
