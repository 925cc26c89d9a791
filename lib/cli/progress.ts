/** Shows a training run while it goes on: a progress bar in a terminal, plain lines elsewhere. */
import type {StartEvent, StepEvent, TrainEvent} from '../train/events.js';
import {describeEvent, describeStep} from './describe-event.js';
import {createBar, type ProgressStream} from './bar.js';
import {createPaint, type Paint} from './paint.js';

/** A view of a run. */
interface Progress {
  readonly show: (event: TrainEvent) => void;
  /** A line of its own among the events. */
  readonly say: (line: string) => void;
  /** Gives the terminal back; must be called whatever happens. */
  readonly stop: () => void;
}

/** Lines for steps in a whole run, about. */
const stepLines = 100;

export function createProgress(stream: ProgressStream, {color}: {readonly color: boolean}): Progress {
  const paint = createPaint(color);
  return stream.isTTY ? barProgress(stream, paint) : lineProgress(stream, paint);
}

/** Every event is told; of the steps the first, the last and each hundredth part. */
function lineProgress(stream: ProgressStream, paint: Paint): Progress {
  let start: StartEvent | undefined;
  const isTold = (event: StepEvent): boolean => {
    const [first, last] = [(start?.resumedFrom ?? 0) + 1, start?.steps ?? Infinity];
    const every = Math.max(1, Math.ceil((start?.steps ?? 0) / stepLines));
    return event.step === first || event.step === last || event.step % every === 0;
  };
  return {
    show: (event) => {
      if (event.type === 'start') start = event;
      if (event.type !== 'step' || isTold(event)) write(stream, describeEvent(event, paint));
    },
    say: (line) => write(stream, [line]),
    stop: () => undefined,
  };
}

/** Steps move the bar; other events are lines above it. */
function barProgress(stream: ProgressStream, paint: Paint): Progress {
  const bar = createBar(stream, `{bar} {value}/{total}  {detail}`, 16);
  let run: {readonly total: number; readonly step: number; readonly detail: string} | undefined;
  const above = (lines: readonly string[]): void => {
    bar.stop();
    write(stream, lines);
    if (run) bar.start(run.total, run.step, {detail: run.detail});
  };
  return {
    show: (event) => {
      if (event.type === 'step' && run) {
        run = {...run, step: event.step, detail: describeStep(event)};
        bar.update(run.step, {detail: run.detail});
        return;
      }
      if (event.type === 'start') run = {total: event.steps, step: event.resumedFrom, detail: 'starting'};
      if (event.type === 'end') run = undefined;
      above(describeEvent(event, paint));
    },
    say: (line) => above([line]),
    stop: () => {
      bar.stop();
      run = undefined;
    },
  };
}

function write(stream: ProgressStream, lines: readonly string[]): void {
  stream.write(lines.map((line) => `${line}\n`).join(''));
}
