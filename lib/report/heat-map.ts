/** A value by layer and step: rows are hidden states, columns are evaluations on the same axis as the chart above. */
import {fixed} from './format.js';
import {html, type Html} from './html.js';
import type {Scale} from './scale.js';

interface HeatColumn {
  readonly step: number;
  /** By row, bottom first. */
  readonly values: readonly number[];
}

interface HeatMap {
  readonly description: string;
  readonly x: Scale;
  readonly columns: readonly HeatColumn[];
  /** The value of full colour; 0 has none, below 0 is the opposite colour. */
  readonly full: number;
  readonly rowName: (row: number) => string;
}

/** Two grid cells: the row labels, and the map itself. */
export function heatMap({description, x, columns, full, rowName}: HeatMap): Html {
  const rows = Math.max(...columns.map(({values}) => values.length));
  const edges = columnEdges(columns.map(({step}) => 1000 * x.position(step)));
  const height = 1000 / rows;
  const cells = columns.flatMap(({step, values}, c) =>
    values.map((value, row) => {
      if (!Number.isFinite(value)) return undefined;
      const [left, right] = [edges[c] ?? 0, edges[c + 1] ?? 1000];
      return html`<rect
        x="${round(left)}"
        y="${round(1000 - (row + 1) * height)}"
        width="${round(right - left)}"
        height="${round(height)}"
        class="${value < 0 ? 'below' : 'above'}"
        fill-opacity="${round(Math.min(1, Math.abs(value) / full))}"
        ><title>step ${step}, ${rowName(row)}: ${fixed(value, 3)}</title></rect
      >`;
    }),
  );
  return html`<div class="axis-y rows" aria-hidden="true">${rowLabels(rows)}</div>
    <div class="heat" style="height:${Math.max(48, Math.min(150, 13 * rows))}px">
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="${description}">
        ${cells}
      </svg>
    </div>`;
}

/** Boundaries half-way between neighbours; a lone column fills the width. */
function columnEdges(positions: readonly number[]): number[] {
  const between = positions.slice(1).map((position, i) => (position + (positions[i] ?? 0)) / 2);
  return [0, ...between, 1000];
}

/** The embedding, the last layer, and the middle where there is room. */
function rowLabels(rows: number): Html[] {
  const shown = rows > 4 ? [0, Math.round((rows - 1) / 2), rows - 1] : [0, rows - 1];
  return [...new Set(shown)].map(
    (row) =>
      html`<span style="top:${round(100 * (1 - (row + 0.5) / rows))}%"
        >${row === 0 ? 'emb' : `L${row}`}</span
      >`,
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
