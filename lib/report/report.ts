/** The report of a training run: one HTML page that needs nothing but itself. */
import type {TrainEvent} from '../train/events.js';
import {alignmentSection} from './alignment.js';
import {configurationSection} from './configuration.js';
import {count, duration, grouped, plural} from './format.js';
import {readHistory, type RunHistory} from './history.js';
import {html, type Html} from './html.js';
import {languageSection} from './languages.js';
import {lossSection, optimiserSection} from './losses.js';
import {page, type Link} from './page.js';
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
export function renderReport({events, ...about}: ReportInput): string {
  return renderHistory(readHistory(events), about);
}

/** The report of a run that was put together already. */
export function renderHistory(
  history: RunHistory,
  {config, writtenAt, notes}: Omit<ReportInput, 'events'>,
): string {
  const sections = runSections.map(({id, title, render}) => ({
    id,
    title,
    content: render(history, {config, ...(notes && {notes})}),
  }));
  return page({
    name: history.start?.name ?? 'Training run',
    kind: 'crossmap training report',
    status: status(history),
    facts: factsLine(history),
    links: linksTo(sections),
    main: [summarySection(history), ...sections.map(({content}) => content)],
    writtenAt,
  });
}

/** A section of a page about a run. */
interface RunSection {
  readonly id: string;
  /** What a link to it is called. */
  readonly title: string;
  /** Whether it changes with evaluations alone, but for the end of its axis. */
  readonly isOfEvaluations?: true;
  /** undefined where the run has nothing to show there. */
  readonly render: (history: RunHistory, about: Pick<ReportInput, 'config' | 'notes'>) => Html | undefined;
}

/** What a run has to show, from its losses to its facts, in this order. */
export const runSections: readonly RunSection[] = [
  {id: 'losses', title: 'Loss', render: lossSection},
  {id: 'languages', title: 'Languages', isOfEvaluations: true, render: languageSection},
  {id: 'alignment', title: 'Alignment', isOfEvaluations: true, render: alignmentSection},
  {id: 'retrieval', title: 'Retrieval', isOfEvaluations: true, render: retrievalSection},
  {id: 'samples', title: 'Samples', isOfEvaluations: true, render: sampleSection},
  {id: 'optimiser', title: 'Optimiser', render: optimiserSection},
  {id: 'configuration', title: 'Configuration', render: (_, {config}) => configurationSection(config)},
  {id: 'run', title: 'Run', render: (history, {notes = []}) => runSection(history, notes)},
];

/** Links to the sections that are there. */
export function linksTo(
  sections: readonly {readonly id: string; readonly title: string; readonly content: Html | undefined}[],
): Link[] {
  return sections.flatMap(({id, title, content}) => (content === undefined ? [] : [[id, title] as const]));
}

function status({end, lastStep}: RunHistory): Html {
  if (end === undefined) return html`<span class="status">at step ${lastStep}, not finished</span>`;
  return end.reason === 'finished'
    ? html`<span class="status finished">finished</span>`
    : html`<span class="status aborted">stopped at step ${end.step}</span>`;
}

/** A run in one line. */
export function factsLine({start, lastStep, tokens, seconds}: RunHistory): string {
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
