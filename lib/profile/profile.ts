/** Recording what each thread does, and when. */
import {CrossmapError} from '../errors.js';
import {native, type NativeEvent as ProfileEvent} from '../native.js';

export type {NativeEvent as ProfileEvent} from '../native.js';

/** What is recorded. */
export interface ProfileOptions {
  /** Events that are kept until they are taken; more are dropped, and counted. Each takes some 200 bytes. Default 200,000. */
  readonly limit?: number;
}

/** What was recorded. */
export interface ProfiledEvents {
  /** In the order of their ends. */
  readonly events: readonly ProfileEvent[];
  /** Events that there was no room for, since the start. */
  readonly dropped: number;
}

/** A recording that is over. */
export interface Profile extends ProfiledEvents {
  /** From start to stop. */
  readonly durationUs: number;
}

const defaultLimit = 200_000;

// Of this thread: a worker thread has this module, and native state, of its own.
let isRecording = false;

/**
 * Starts recording, for this thread of JavaScript and its devices: spans, calls of ops, and on the CPU the tasks of the executor and
 * the shares of its pool. What a GPU does meanwhile is not seen. While nothing is recorded it costs nothing that can be measured.
 *
 * @throws ERR_ARGUMENT where a recording is under way, or for a limit below 1
 */
export function startProfile({limit = defaultLimit}: ProfileOptions = {}): void {
  if (isRecording) throw new CrossmapError('ERR_ARGUMENT', 'profile: a recording is under way already');
  native.profileStart(limit);
  isRecording = true;
}

/**
 * Ends the recording. Spans that are open end here; tasks that have not ended are left out: `await synchronize()` before it waits for
 * them.
 *
 * @returns the events that were not taken before
 * @throws ERR_ARGUMENT where nothing is recorded
 */
export function stopProfile(): Profile {
  if (!isRecording) throw new CrossmapError('ERR_ARGUMENT', 'profile: no recording is under way');
  isRecording = false;
  const durationUs = native.profileStop();
  return {...native.profileTake(), durationUs};
}

/** The events so far, which are no longer kept. */
export function takeEvents(): ProfiledEvents {
  return native.profileTake();
}

/** How many events wait to be taken: taking some costs about as much as making them did. */
export function pendingEvents(): number {
  return native.profilePending();
}

/** Runs `work`, which appears as a span under this name, inside the span around it. Ops inside bear its name. */
export function span<T>(name: string, work: () => T): T {
  if (!isRecording) return work();
  const number = native.profileEnter(name);
  try {
    return work();
  } finally {
    native.profileLeave(number);
  }
}

/**
 * The same for work that is awaited. Spans nest where the work does: of works that overlap in time, the ops of one may bear the name of
 * the other.
 */
export async function asyncSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (!isRecording) return work();
  const number = native.profileEnter(name);
  try {
    return await work();
  } finally {
    native.profileLeave(number);
  }
}
