/** The top of the live page: where the run stands, how long it still takes, and what went wrong. */
import type {DataProgress} from '../data/index.js';
import {bytes, count, duration, grouped, number, percent, plural} from '../report/format.js';
import {recentSteps, type RunHistory} from '../report/history.js';
import {html, type Html, type HtmlValue} from '../report/html.js';
import {section} from '../report/section.js';
import type {StepEvent} from '../train/events.js';

/** A run as the page shows it. */
export interface LiveRun {
  readonly name: string;
  /** Folder of the run. */
  readonly output: string;
  /** Steps of the whole run. */
  readonly steps: number;
  /** As plain JSON. */
  readonly config: unknown;
  readonly history: RunHistory;
  /** Share of each stage of the preparation of data that is done. */
  readonly data: ReadonlyMap<DataProgress['stage'], number>;
  /** Whether the present part of the run has come to its steps. */
  readonly hasStarted: boolean;
  /** Why it failed. */
  readonly failure: string | undefined;
  /** Whether no more news will come. */
  readonly isOver: boolean;
  /** File of the report, once there is one. */
  readonly report: string | undefined;
}

type Phase = 'preparing' | 'training' | 'finished' | 'stopped' | 'failed';

export function phaseOf({failure, history: {end}, hasStarted, isOver}: LiveRun): Phase {
  if (failure !== undefined) return 'failed';
  if (hasStarted && end !== undefined) return end.reason === 'finished' ? 'finished' : 'stopped';
  if (isOver) return 'stopped';
  return hasStarted ? 'training' : 'preparing';
}

/** What the tab of the page is called: how far the run is stands first, for tabs are narrow. */
export function tabTitle(run: LiveRun): string {
  const phase = phaseOf(run);
  const done = phase === 'training' ? percent(shareDone(run), 0) : phase;
  return `${done} · ${run.name}`;
}

function shareDone({history: {lastStep}, steps}: LiveRun): number {
  return Math.min(1, lastStep / steps);
}

export function nowSection(run: LiveRun): Html {
  return section({
    id: 'now',
    title: 'Now',
    body: html`${failureCard(run)} ${endCard(run)} ${dataCard(run)} ${progressCard(run)} ${warningCard(run)}`,
  });
}

function failureCard({failure}: LiveRun): Html | undefined {
  if (failure === undefined) return undefined;
  return html`<div class="card failure" role="alert">
    <h3>The run failed</h3>
    <pre>${failure}</pre>
  </div>`;
}

const endings: Readonly<Record<Phase, string | undefined>> = {
  preparing: undefined,
  training: undefined,
  finished: 'The run is finished.',
  stopped: 'The run was stopped. The same command goes on from its newest checkpoint.',
  failed: 'The run is over.',
};

function endCard(run: LiveRun): Html | undefined {
  const ending = endings[phaseOf(run)];
  if (ending === undefined) return undefined;
  return html`<div class="card">
    <p>
      ${ending} ${run.isOver && 'Nothing new will come here: the page can be read as long as it stays open.'}
    </p>
    ${
      run.report !== undefined &&
      html`<p class="copied">
        The report, which needs no server: <code>${run.report}</code>
        <button type="button" data-copy="${run.report}">Copy the path</button>
      </p>`
    }
  </div>`;
}

const stageNames: Readonly<Record<DataProgress['stage'], string>> = {
  scan: 'Reading the corpora',
  tokenizer: 'Training the tokenizer',
  encode: 'Encoding the text',
  load: 'Opening the data',
};

function dataCard(run: LiveRun): Html | undefined {
  if (phaseOf(run) !== 'preparing') return undefined;
  if (run.data.size === 0) return html`<p class="none">The run has not begun to prepare its data.</p>`;
  return html`<div class="card">
    <h3>Preparing the data</h3>
    <ul class="stages">
      ${[...run.data].map(([stage, done]) => bar(stageNames[stage], done, percent(done, 0)))}
    </ul>
  </div>`;
}

function bar(name: string, share: number, label: string): Html {
  return html`<li>
    <span>${name}</span>
    <progress max="1" value="${share.toFixed(4)}" aria-label="${name}"></progress>
    <span class="share">${label}</span>
  </li>`;
}

function progressCard(run: LiveRun): Html | undefined {
  const {history, steps} = run;
  if (phaseOf(run) === 'preparing' && history.lastStep === 0) return undefined;
  const facts = factsOf(run).filter(([, value]) => value !== undefined && value !== false);
  return html`<div class="card">
    <ul class="stages">
      ${bar(`Step ${grouped(history.lastStep)} of ${grouped(steps)}`, shareDone(run), percent(shareDone(run), 0))}
    </ul>
    <dl class="numbers">
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </div>`;
}

function factsOf(run: LiveRun): [string, HtmlValue][] {
  const {steps, seconds, tokens, lastCheckpoint, evaluations} = run.history;
  const last = steps.at(-1);
  const isTraining = phaseOf(run) === 'training';
  return [
    ['Time left', isTraining && last && Number.isFinite(last.etaSeconds) && duration(last.etaSeconds)],
    ['Trained for', seconds > 0 && duration(seconds)],
    ['Tokens per second', isTraining && last && count(recentSpeed(steps))],
    ['Tokens', tokens > 0 && count(tokens)],
    ['Loss, weighted sum', last && number(last.loss)],
    ['Learning rate', last && number(last.learningRate, 3)],
    ['Gradient norm', last && number(last.gradientNorm, 3)],
    ['Peak memory', last?.peakBytes !== undefined && bytes(last.peakBytes)],
    ['Last evaluation', evaluations.length > 0 && `step ${grouped(evaluations.at(-1)?.step ?? 0)}`],
    ['Last checkpoint', lastCheckpoint && `step ${grouped(lastCheckpoint.step)}`],
  ];
}

/** Tokens over time of the latest steps: single ones are noisy. */
function recentSpeed(steps: readonly StepEvent[]): number {
  const recent = steps.slice(-recentSteps).filter(({tokensPerSecond}) => tokensPerSecond > 0);
  const seconds = recent.reduce((sum, {tokens, tokensPerSecond}) => sum + tokens / tokensPerSecond, 0);
  return recent.reduce((sum, {tokens}) => sum + tokens, 0) / seconds;
}

/** Warnings beyond these stand in the section about the run. */
const mostWarnings = 5;

function warningCard({history: {warnings, warningCount}}: LiveRun): Html | undefined {
  if (warningCount === 0) return undefined;
  const shown = warnings.slice(-mostWarnings);
  return html`<div class="card warned" role="status">
    <h3>${plural(warningCount, 'warning')}${warningCount > shown.length && `, the last ${shown.length}`}</h3>
    <ul class="warnings">
      ${shown.map(({step, message}) => html`<li><b>step ${grouped(step)}</b> ${message}</li>`)}
    </ul>
  </div>`;
}
