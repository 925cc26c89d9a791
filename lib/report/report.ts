/** The report of a training run: one HTML page that needs nothing but itself. */
import type {TrainEvent} from '../train/events.js';
import {alignmentSection} from './alignment.js';
import {configurationSection} from './configuration.js';
import {count, duration, grouped, plural} from './format.js';
import {readHistory, type RunHistory} from './history.js';
import {html, type Html} from './html.js';
import {languageSection} from './languages.js';
import {lossSection, optimiserSection} from './losses.js';
import {page} from './page.js';
import {retrievalSection} from './retrieval.js';
import {runSection, type Note} from './run-facts.js';
import {sampleSection} from './samples.js';
import {summarySection} from './summary.js';

/** What a report is made from. */
export interface ReportInput {
  /** The run's configuration, as plain JSON; `undefined` when it is not known. */
  readonly config: unknown;
  /** All events of the run so far, continuations included. */
  readonly events: readonly TrainEvent[];
  /** Shown at the foot of the page; default: no date. */
  readonly writtenAt?: Date;
  /** Remarks about the events themselves, such as lines that could not be read. */
  readonly notes?: readonly Note[];
}

/**
 * The report as HTML: summary, losses, held-out text by language, alignment, retrieval, samples, configuration, run.
 * Any number of events will do, and its size is bounded: long curves are thinned, their extremes kept.
 *
 * @returns a whole HTML document that loads nothing from anywhere
 */
export function renderReport({config, events, writtenAt, notes = []}: ReportInput): string {
  const history = readHistory(events);
  const name = history.start?.name ?? 'Training run';
  const sections: [id: string, title: string, section: Html | undefined][] = [
    ['losses', 'Loss', lossSection(history)],
    ['languages', 'Languages', languageSection(history)],
    ['alignment', 'Alignment', alignmentSection(history)],
    ['retrieval', 'Retrieval', retrievalSection(history)],
    ['samples', 'Samples', sampleSection(history)],
    ['optimiser', 'Optimiser', optimiserSection(history)],
    ['configuration', 'Configuration', configurationSection(config)],
    ['run', 'Run', runSection(history, notes)],
  ];
  const present = sections.filter(([, , content]) => content !== undefined);
  return page({
    name,
    kind: 'crossmap training report',
    status: status(history),
    facts: factsLine(history),
    links: present.map(([id, title]) => [id, title] as const),
    main: [summarySection(history), ...present.map(([, , content]) => content)],
    writtenAt,
  });
}

function status({end, lastStep}: RunHistory): Html {
  if (end === undefined) return html`<span class="status">at step ${lastStep}, not finished</span>`;
  return end.reason === 'finished'
    ? html`<span class="status finished">finished</span>`
    : html`<span class="status aborted">stopped at step ${end.step}</span>`;
}

function factsLine({start, lastStep, tokens, seconds}: RunHistory): string {
  const facts = [
    start && `${count(start.parameters)} parameters`,
    start && plural(start.languages.length, 'language'),
    start ? `${grouped(lastStep)} of ${plural(start.steps, 'step')}` : plural(lastStep, 'step'),
    `${count(tokens)} tokens`,
    seconds > 0 ? duration(seconds) : undefined,
    start && `${start.device}, ${start.dtype}`,
  ];
  return facts.filter((fact) => fact !== undefined).join(' · ');
}
