/** `--profile`: a trace of some steps of a run, and where their time went. */
import {InvalidArgumentError, type Command} from 'commander';
import type {Config} from '../config/index.js';
import {CrossmapError} from '../errors.js';
import {openGrowingFile, type GrowingFile} from '../formats/index.js';
import {
  beginTrace,
  createOpTimes,
  pendingEvents,
  startProfile,
  stopProfile,
  takeEvents,
  type TraceWriter,
} from '../profile/index.js';
import {synchronize, type Device} from '../tensor/index.js';
import type {TrainEvent} from '../train/index.js';
import {describeProfile, type ProfileSummary} from './describe-profile.js';

/** Steps, counted from 1, the last one included. */
interface StepRange {
  readonly first: number;
  readonly last: number;
}

/** The options as the command line gives them. */
export interface ProfileOptions {
  readonly profile?: string;
  readonly profileSteps?: StepRange;
}

/** Records steps of a run that is going on. */
export interface StepProfiler {
  /** To be awaited for each event of the run, before the next one is asked for. @throws ERR_ARGUMENT, ERR_IO; faults of ops */
  note(event: TrainEvent): Promise<void>;
  /** Publishes the trace; what to say of it. @throws ERR_IO */
  finish(): Promise<readonly string[]>;
  /** Leaves no trace, unless it was published. */
  discard(): Promise<void>;
}

// The first steps fill the cache of memory, and on a GPU they are recorded.
const warmUpSteps = 3;
const defaultSteps = 5;

// Taking events makes the executor wait for the next step, so they are left until there are many.
const mostPending = 100_000;

/** Adds `--profile` and `--profile-steps`. */
export function addProfileOptions(command: Command): Command {
  return command
    .option('--profile <file>', 'write a trace of some steps, for ui.perfetto.dev or speedscope')
    .option(
      '--profile-steps <range>',
      `which steps, as 10-20 or 12 (default: ${defaultSteps} after the first ${warmUpSteps})`,
      stepRange,
    );
}

function stepRange(text: string): StepRange {
  const [, from, to = from] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  const range = {first: Number(from), last: Number(to)};
  if (!(range.first >= 1 && range.last >= range.first))
    throw new InvalidArgumentError('It must be a step or a range of steps, from 1 on: 12 or 10-20.');
  return range;
}

/**
 * Makes the file, before anything is trained.
 *
 * @returns undefined where no trace is wanted
 * @throws ERR_ARGUMENT for steps that the run does not have, or steps without a file; ERR_IO
 */
export async function openStepProfiler(
  {training: {steps}}: Config,
  {profile: path, profileSteps: wanted}: ProfileOptions,
): Promise<StepProfiler | undefined> {
  if (path === undefined) {
    if (wanted === undefined) return undefined;
    throw new CrossmapError('ERR_ARGUMENT', '--profile-steps needs --profile, which names the file');
  }
  if (wanted !== undefined && wanted.last > steps)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `--profile-steps must lie within the ${steps} steps of the run (training.steps); got ${rangeText(wanted)}`,
    );
  const file = await openGrowingFile(path);
  let device: Device = 'cpu';
  let range = wanted ?? defaultRange(0, steps);
  let recording: Recording | undefined;
  let summary: ProfileSummary | undefined;
  return {
    async note(event) {
      if (event.type === 'start') {
        device = deviceOf(event.device);
        range = wanted ?? defaultRange(event.resumedFrom, steps);
        if (event.resumedFrom >= range.first && event.resumedFrom < steps) throw isPast(range, event);
      }
      if (event.type !== 'start' && event.type !== 'step' && event.type !== 'end') return;
      const done = event.type === 'start' ? event.resumedFrom : event.step;
      const isOver = done >= range.last || event.type === 'end';
      if (recording && isOver) {
        summary = await recording.stop({first: range.first, last: done});
        recording = undefined;
      } else if (recording) await recording.takeMany();
      else if (done === range.first - 1 && event.type !== 'end')
        recording = await startRecording(file, device);
    },
    async finish() {
      if (summary === undefined) return ['', `no trace: step ${range.first} was not run`];
      await file.publish();
      return ['', ...describeProfile(summary), '', `trace: ${path}`];
    },
    async discard() {
      if (recording) stopProfile();
      recording = undefined;
      await file.discard();
    },
  };
}

/** A run with fewer steps has its last one profiled. */
function defaultRange(done: number, steps: number): StepRange {
  const last = Math.min(steps, done + warmUpSteps + defaultSteps);
  return {first: Math.min(done + warmUpSteps + 1, last), last};
}

function isPast(range: StepRange, {resumedFrom}: {readonly resumedFrom: number}): CrossmapError {
  return new CrossmapError(
    'ERR_ARGUMENT',
    `--profile-steps must lie in what is left of the run, which goes on after step ${resumedFrom}; got ${rangeText(range)}`,
  );
}

function rangeText({first, last}: StepRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function deviceOf(name: string): Device {
  return name === 'cuda' || name === 'simt' ? name : 'cpu';
}

interface Recording {
  /** Writes what has been recorded, where that is much. */
  takeMany(): Promise<void>;
  stop(steps: StepRange): Promise<ProfileSummary>;
}

/** The device is waited for at both ends: what is recorded is then the work of these steps, and all of it. */
async function startRecording(file: GrowingFile, device: Device): Promise<Recording> {
  const trace: TraceWriter = await beginTrace(file.append);
  const times = createOpTimes();
  const add = async (events: Parameters<TraceWriter['add']>[0]): Promise<void> => {
    times.add(events);
    await trace.add(events);
  };
  await synchronize(device);
  startProfile();
  return {
    async takeMany() {
      if (pendingEvents() > mostPending) await add(takeEvents().events);
    },
    async stop(steps) {
      await synchronize(device);
      const {events, dropped, durationUs} = stopProfile();
      await add(events);
      await trace.end({
        device,
        rows:
          device === 'cpu'
            ? 'TypeScript, and what the executor and its pool do'
            : `TypeScript alone: what ${device} does meanwhile is not seen`,
        steps: rangeText(steps),
        droppedEvents: dropped,
        bytes:
          'inputBytes and outputBytes are those of the tensors of an op; what it writes in place is among its inputs',
      });
      return {
        steps: rangeText(steps),
        stepCount: steps.last - steps.first + 1,
        seconds: durationUs / 1e6,
        dropped,
        rows: times.rows(),
      };
    },
  };
}
