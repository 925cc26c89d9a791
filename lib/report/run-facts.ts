/** What ran, on what, for how long. */
import {bytes, count, duration, grouped, languageName, list, number, plural} from './format.js';
import type {RunHistory} from './history.js';
import {html, type Html, type HtmlValue} from './html.js';
import {section} from './section.js';
import {folded} from './table.js';

const mostWarnings = 20;

/** A circumstance of the reading that belongs on the page, such as lines that could not be read. */
export type Note = string;

export function runSection(history: RunHistory, notes: readonly Note[]): Html {
  const facts: [string, HtmlValue][] = factsOf(history).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  return section({
    id: 'run',
    title: 'Run',
    body: html`<dl class="facts">
        ${facts.map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
      </dl>
      ${notes.map((note) => html`<p class="remark">${note}</p>`)} ${warnings(history)}`,
  });
}

function factsOf({
  start,
  end,
  steps,
  tokens,
  seconds,
  lastStep,
  lastCheckpoint,
  continuations,
}: RunHistory): [string, HtmlValue][] {
  const peakBytes = end?.peakBytes ?? steps.at(-1)?.peakBytes;
  return [
    ['Parameters', start && count(start.parameters)],
    ['Device', start && `${start.device}, ${start.dtype}`],
    ['Languages', start && list(start.languages.map(languageName))],
    ['Steps', start ? `${grouped(lastStep)} of ${grouped(start.steps)}` : grouped(lastStep)],
    ['Tokens trained on', count(tokens)],
    [
      'Tokens per second',
      steps.length > 0 && `${count(median(steps.map((step) => step.tokensPerSecond)))} (median)`,
    ],
    ['Training time', seconds > 0 && duration(seconds)],
    ['Peak memory', peakBytes !== undefined && bytes(peakBytes)],
    ['Continued', continuations > 0 && plural(continuations, 'time')],
    ['Last checkpoint', lastCheckpoint && `step ${lastCheckpoint.step}`],
    ['Final loss, weighted sum', steps.length > 0 && number(steps.at(-1)?.loss ?? NaN)],
    ['Output', start?.output],
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function warnings({warnings: all, warningCount}: RunHistory): Html | undefined {
  if (warningCount === 0) return undefined;
  const shown = all.slice(-mostWarnings);
  const title =
    warningCount > shown.length
      ? `${grouped(warningCount)} warnings, the last ${shown.length}`
      : plural(warningCount, 'warning');
  return folded(
    title,
    html`<ul class="warnings">
      ${shown.map(({step, message}) => html`<li><b>step ${step}</b> ${message}</li>`)}
    </ul>`,
  );
}
