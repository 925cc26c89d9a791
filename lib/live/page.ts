/** The live page: the report of the run so far, in parts that are replaced while it goes on. */
import {html, trusted, type Html} from '../report/html.js';
import {frame, heading, navigation} from '../report/page.js';
import type {RunHistory} from '../report/history.js';
import {factsLine, linksTo, runSections} from '../report/report.js';
import {tiles} from '../report/tiles.js';
import type {Part} from './feed.js';
import {nowSection, phaseOf, tabTitle, type LiveRun} from './now.js';
import {liveScript} from './script.js';
import {liveStyle} from './style.js';

const kind = 'crossmap training, live';

/** Makes the parts of the page, in its order. Each is always there, though it may be empty. */
export function createPartMaker(): (run: LiveRun) => Part[] {
  const evaluated = createMemory();
  return (run) => {
    const shown = hasEvents(run) ? runSections : runSections.filter(({id}) => id === 'configuration');
    const sections = runSections.map(({id, title, isOfEvaluations, render}) => {
      const make = (history: RunHistory): Html | undefined => render(history, {config: run.config});
      const content = (): Html | undefined =>
        isOfEvaluations ? evaluated(id, run.history, make) : make(run.history);
      return {id, title, content: shown.some((each) => each.id === id) ? content() : undefined};
    });
    const parts: [id: string, content: Html | undefined][] = [
      ['head', head(run)],
      ['nav', navigation([['now', 'Now'], ...linksTo(sections)])],
      ['now', nowSection(run)],
      ['tiles', hasEvents(run) ? tiles(run.history) : undefined],
      ...sections.map(({id, content}): [string, Html | undefined] => [id, content]),
    ];
    return parts.map(([id, content]) => ({id, html: content?.html ?? ''}));
  };
}

function hasEvents({history: {start, lastStep}}: LiveRun): boolean {
  return start !== undefined || lastStep > 0;
}

type Make = (history: RunHistory) => Html | undefined;

/**
 * Sections that are made anew only after an evaluation: they are by far the largest, and their axes would change with every step. They end
 * at the last evaluation.
 */
function createMemory(): (id: string, history: RunHistory, make: Make) => Html | undefined {
  const made = new Map<string, {readonly of: RunHistory; readonly content: Html | undefined}>();
  return (id, history, make) => {
    const before = made.get(id);
    if (before?.of.evaluations === history.evaluations && before.of.start === history.start)
      return before.content;
    const content = make({...history, lastStep: history.evaluations.at(-1)?.step ?? 0});
    made.set(id, {of: history, content});
    return content;
  };
}

function head(run: LiveRun): Html {
  const phase = phaseOf(run);
  return html`<div data-title="${tabTitle(run)}" data-phase="${phase}">
    ${heading({
      name: run.name,
      kind,
      status: html`<span class="status ${phase}" role="status">${phase}</span>`,
      facts: hasEvents(run) ? factsLine(run.history) : run.output,
    })}
  </div>`;
}

interface LivePage {
  /** Of the tab. */
  readonly title: string;
  readonly parts: readonly Part[];
  /** Of the newest event that the parts hold. */
  readonly eventId: string;
  readonly nonce: string;
}

/** A whole document that follows the run from where the parts are. */
export function livePage({title, parts, eventId, nonce}: LivePage): string {
  const part = ({id, html: content}: Part): Html => html`<div data-part="${id}">${trusted(content)}</div>`;
  const inHeader = (each: Part): boolean => each.id === 'head' || each.id === 'nav';
  return frame({
    title,
    nonce,
    style: liveStyle,
    script: liveScript,
    body: html`<header>
        <p class="connection" data-state="none">
          <i aria-hidden="true"></i><span id="connection" role="status"></span>
          <span id="news" aria-hidden="true"></span>
        </p>
        ${parts.filter(inHeader).map(part)}
      </header>
      <main data-after="${eventId}">
        <noscript
          ><p class="remark">Without JavaScript the page stands still: load it again for news.</p></noscript
        >
        ${parts.filter((each) => !inHeader(each)).map(part)}
      </main>
      <footer>Made by crossmap. What is measured, and what it does not say: docs/evaluation.md.</footer>`,
  });
}
