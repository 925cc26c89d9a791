/** Tables that scroll inside themselves where the page is narrow. */
import {html, type Html, type HtmlValue} from './html.js';

interface Column {
  readonly name: HtmlValue;
  /** Numbers are set to the right; default true for all but the first column. */
  readonly numeric?: boolean;
}

interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly HtmlValue[])[];
}

// The caption stands outside the part that scrolls: a wide table would carry it out of sight.
export function table({caption, columns, rows}: Table): Html {
  const kind = (i: number): string => ((columns[i]?.numeric ?? i > 0) ? 'n' : '');
  return html`<figure class="table">
    <figcaption>${caption}</figcaption>
    <div class="scroll" role="region" aria-label="${caption}" tabindex="0">
      <table aria-label="${caption}">
        <thead>
          <tr>
            ${columns.map(({name}, i) => html`<th scope="col" class="${kind(i)}">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (cells) =>
              html`<tr>
                ${cells.map((cell, i) => tableCell(cell, i, kind(i)))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </figure>`;
}

function tableCell(cell: HtmlValue, i: number, kind: string): Html {
  return i === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="${kind}">${cell}</td>`;
}

/** Content behind a summary line, for values that the charts show too. */
export function folded(summary: string, content: HtmlValue): Html {
  return html`<details>
    <summary>${summary}</summary>
    ${content}
  </details>`;
}
