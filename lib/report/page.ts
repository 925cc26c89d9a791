/** The frame of every page: one HTML document that loads nothing from anywhere. */
import {html, trusted, type Html, type HtmlValue} from './html.js';
import {script} from './script.js';
import {style} from './style.js';

interface Frame {
  readonly title: string;
  readonly body: Html;
  /** Of a page that does more than the report: added to its own. */
  readonly style?: string;
  readonly script?: string;
  /** What a content security policy lets style and script pass by; default: none. */
  readonly nonce?: string;
}

/** A document with the look of the report and its charts that can be read off with a pointer. */
export function frame({title, body, style: ownStyle = '', script: ownScript = '', nonce}: Frame): string {
  const pass = nonce !== undefined && html` nonce="${nonce}"`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <style${pass}>
          ${trusted(style)}${trusted(ownStyle)}
        </style>
      </head>
      <body>
        ${body}
        <script${pass}>
          ${trusted(script)}${trusted(ownScript)};
        </script>
      </body>
    </html> `.html;
}

/** A section to go to, and what the link to it is called. */
export type Link = readonly [id: string, title: string];

interface Page {
  /** What is shown: the heading, and the beginning of the title. */
  readonly name: string;
  /** What kind of page it is: `crossmap training report`. */
  readonly kind: string;
  /** Beside the kind. */
  readonly status?: Html | undefined;
  readonly facts: string;
  readonly links: readonly Link[];
  readonly main: HtmlValue;
  /** Shown at the foot of the page; default: no date. */
  readonly writtenAt: Date | undefined;
}

export function page({name, kind, status, facts, links, main, writtenAt}: Page): string {
  return frame({
    title: `${name} · ${kind}`,
    body: html`<header>${heading({name, kind, facts, status})} ${navigation(links)}</header>
      <main>${main}</main>
      <footer>
        Made by crossmap${writtenAt && `, ${writtenAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`}.
      </footer>`,
  });
}

/** What is shown, and what kind of page shows it. */
export function heading({name, kind, status, facts}: Pick<Page, 'name' | 'kind' | 'facts' | 'status'>): Html {
  return html`<p class="brand">${kind} ${status}</p>
    <h1>${name}</h1>
    <p class="facts-line">${facts}</p>`;
}

export function navigation(links: readonly Link[]): Html {
  return html`<nav aria-label="Sections">
    ${links.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}
  </nav>`;
}
