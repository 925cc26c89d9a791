/** A training run in a terminal: progress, interrupts, report, summary. */
import type {Config} from '../config/index.js';
import type {DataProgress} from '../data/index.js';
import {CrossmapError} from '../errors.js';
import type {RunPage} from '../live/index.js';
import {writeReport} from '../report/index.js';
import {train, type EvaluationEvent, type Resume, type TrainEvent} from '../train/index.js';
import {createDataProgress} from './data-progress.js';
import {catchInterrupts} from './interrupt.js';
import {openRunPage, type PageOptions} from './page-option.js';
import {hasColor} from './paint.js';
import {printJsonLine, printLines} from './print.js';
import type {StepProfiler} from './profile-steps.js';
import {createProgress} from './progress.js';
import {summarizeRun} from './summary.js';

/** How a run is started and shown. */
interface RunTrainingOptions extends PageOptions {
  readonly resume: Resume;
  /** Events as JSON lines instead of progress. */
  readonly json?: boolean;
  /** Records steps of the run. */
  readonly profiler?: StepProfiler;
}

/** What is known when a run is over. */
interface FinishedRun {
  /** Whether it came to its end, rather than being stopped. */
  readonly finished: boolean;
  readonly lastEvaluation: EvaluationEvent | undefined;
}

/**
 * Trains, shows how it goes, writes the report at each evaluation and at the end. Sets the exit code where it is interrupted.
 *
 * @throws what `train` throws; the report is written before
 */
export async function runTraining(
  config: Config,
  {resume, json = false, profiler, page: wanted}: RunTrainingOptions,
): Promise<FinishedRun> {
  const view = json ? jsonView() : terminalView();
  const interrupts = catchInterrupts(process, {
    onStop: () => view.say('stopping, with the state saved first; once more quits at once'),
    onQuit: (exitCode) => {
      view.stop();
      process.exit(exitCode);
    },
  });
  const report = createReportWriter(config.output);
  let lastEvaluation: EvaluationEvent | undefined;
  let finished = false;
  let page: RunPage | undefined;
  try {
    const fresh = resume === 'never';
    page = await openRunPage(config, {fresh, ...(wanted !== undefined && {page: wanted})}, view);
    const {signal} = interrupts;
    const onDataProgress = (progress: DataProgress): void => {
      view.showData(progress);
      page?.noteData(progress);
    };
    for await (const event of train(config, {resume, signal, onDataProgress})) {
      view.show(event);
      page?.note(event);
      report.note(event);
      if (event.type === 'evaluation') {
        lastEvaluation = event;
        await report.write().catch((error: unknown) => view.say(`no report this time: ${messageOf(error)}`));
      }
      if (event.type === 'end') finished = event.reason === 'finished';
      await profiler?.note(event);
    }
    await report.write();
    view.finish(config.output, report.path());
    for (const line of (await profiler?.finish()) ?? []) view.tell(line);
    return {finished, lastEvaluation};
  } catch (error) {
    await report.write().catch(() => undefined); // the run's own failure is the one to tell
    if (!(error instanceof CrossmapError && error.code === 'ERR_ABORTED')) page?.fail(error);
    throw error;
  } finally {
    await page?.close({report: report.path()});
    await profiler?.discard();
    view.stop();
    interrupts.dispose();
    const exitCode = interrupts.exitCode();
    if (exitCode !== undefined) process.exitCode = exitCode;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface ReportWriter {
  readonly note: (event: TrainEvent) => void;
  readonly write: () => Promise<void>;
  readonly path: () => string | undefined;
}

/** A report is written only once there is something to report. */
function createReportWriter(output: string): ReportWriter {
  let path: string | undefined;
  let hasEvents = false;
  return {
    note: () => (hasEvents = true),
    write: async () => {
      if (hasEvents) path = await writeReport(output);
    },
    path: () => path,
  };
}

interface View {
  readonly showData: (progress: DataProgress) => void;
  readonly show: (event: TrainEvent) => void;
  readonly say: (line: string) => void;
  /** Whether somebody sits before it. */
  readonly isTerminal: boolean;
  /** A line after the end. */
  readonly tell: (line: string) => void;
  readonly finish: (output: string, report: string | undefined) => void;
  readonly stop: () => void;
}

/** Standard output has one event a line and nothing else; what is said beside goes to standard error. */
function jsonView(): View {
  return {
    showData: () => undefined,
    show: printJsonLine,
    say: (line) => void process.stderr.write(`${line}\n`),
    isTerminal: false,
    tell: (line) => void process.stderr.write(`${line}\n`),
    finish: () => undefined,
    stop: () => undefined,
  };
}

function terminalView(): View {
  const progress = createProgress(process.stdout, {color: hasColor(process.stdout)});
  const summary = summarizeRun();
  const data = createDataProgress(process.stdout);
  return {
    showData: data.show,
    show: (event) => {
      data.stop();
      summary.note(event);
      progress.show(event);
    },
    say: (line) => {
      data.stop();
      progress.say(line);
    },
    isTerminal: process.stdout.isTTY,
    tell: (line) => printLines([line]),
    finish: (output, report) => {
      progress.stop();
      printLines([
        '',
        ...summary.lines(),
        '',
        ...(report === undefined ? [] : [`report: ${report}`]),
        `model: ${output}`,
      ]);
    },
    stop: () => {
      data.stop();
      progress.stop();
    },
  };
}
