/** The frame of every page: one HTML document that loads nothing from anywhere. */
import {html, trusted, type Html, type HtmlValue} from './html.js';
import {script} from './script.js';
import {style} from './style.js';

interface Page {
  /** What is shown: the heading, and the beginning of the title. */
  readonly name: string;
  /** What kind of page it is: `crossmap training report`. */
  readonly kind: string;
  /** Beside the kind. */
  readonly status?: Html;
  readonly facts: string;
  readonly links: readonly (readonly [id: string, title: string])[];
  readonly main: HtmlValue;
  /** Shown at the foot of the page; default: no date. */
  readonly writtenAt: Date | undefined;
}

export function page({name, kind, status, facts, links, main, writtenAt}: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${name} · ${kind}</title>
        <link rel="icon" href="data:," />
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <header>
          <p class="brand">${kind} ${status}</p>
          <h1>${name}</h1>
          <p class="facts-line">${facts}</p>
          <nav aria-label="Sections">${links.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
        </header>
        <main>${main}</main>
        <footer>
          Made by crossmap${writtenAt && `, ${writtenAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`}.
        </footer>
        <script>
          ${trusted(script)};
        </script>
      </body>
    </html> `.html;
}
