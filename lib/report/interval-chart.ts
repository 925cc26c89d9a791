/** Differences from a baseline with their intervals, one line for each run: whether they leave 0 out, at a glance. */
import {html, type Html} from './html.js';
import {strokeOf} from './palette.js';
import {linearScale} from './scale.js';

interface Row {
  readonly name: string;
  /** Index of the group, which its colour comes from. */
  readonly colour: number;
  /** A line each: where it lies, and its ends. */
  readonly runs: readonly {readonly value: number; readonly interval: readonly [number, number]}[];
  /** Shown behind the lines. */
  readonly label: Html;
}

interface IntervalChart {
  readonly title: string;
  /** What a reader who does not see the chart should know. */
  readonly description: string;
  readonly rows: readonly Row[];
}

/** Points between the lines of a row. */
const spacing = 9;

export function intervalChart({title, description, rows}: IntervalChart): Html {
  const scale = linearScale(
    rows.flatMap(({runs}) => runs.flatMap(({value, interval}) => [value, ...interval])),
    [0],
    3,
  );
  const at = (value: number): number => Number((100 * scale.position(value)).toFixed(2));
  return html`<figure class="chart bars intervals">
    <figcaption><span class="name">${title}</span></figcaption>
    <div role="img" aria-label="${description}">
      ${rows.map(
        ({name, colour, runs, label}) =>
          html`<div class="bar">
            <span class="bar-name">${name}</span>
            <span class="track" style="height:${String(spacing * (runs.length + 1))}px">
              <i class="mark" style="left:${String(at(0))}%"></i>
              ${runs.map(({value, interval: [low, high]}, run) => {
                const top = spacing * (run + 1);
                const {colour: ink} = strokeOf(colour);
                return html`<i
                    class="span"
                    style="top:${String(top)}px;left:${String(at(low))}%;width:${(at(high) - at(low)).toFixed(2)}%;background:${ink}"
                  ></i>
                  <i class="dot" style="top:${String(top)}px;left:${String(at(value))}%"></i>`;
              })}
            </span>
            <span class="bar-label">${label}</span>
          </div>`,
      )}
      <div class="bar">
        <span></span>
        <span class="axis-x"
          >${scale.ticks.map(
            ({value, label}) => html`<span style="left:${String(at(value))}%">${label}</span>`,
          )}</span
        >
        <span></span>
      </div>
    </div>
  </figure>`;
}
