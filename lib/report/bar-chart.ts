/** Bars from the left, one for each group, with a dot for each run: values that are compared, not followed. */
import {html, type Html} from './html.js';
import {strokeOf} from './palette.js';
import {linearScale} from './scale.js';

interface Bar {
  readonly name: string;
  /** Where the bar ends. */
  readonly value: number;
  /** A dot each. */
  readonly dots: readonly number[];
  /** Shown behind the bar. */
  readonly label: string;
}

interface BarChart {
  readonly title: string;
  /** What a reader who does not see the chart should know. */
  readonly description: string;
  readonly bars: readonly Bar[];
  /** A level to compare with, such as chance. */
  readonly level?: {readonly value: number; readonly label: string};
}

export function barChart({title, description, bars, level}: BarChart): Html {
  const values = bars.flatMap(({value, dots}) => [value, ...dots]);
  const scale = linearScale([...values, ...(level ? [level.value] : [])], [0]);
  const at = (value: number): string => (100 * scale.position(value)).toFixed(2);
  const [zero, unit] = [Number(at(0)), '%'];
  return html`<figure class="chart bars">
    <figcaption>
      <span class="name">${title}</span>
      ${level && html`<span class="latest">${level.label}: ${String(level.value)}</span>`}
    </figcaption>
    <div role="img" aria-label="${description}">
      ${bars.map(({name, value, dots, label}, i) => {
        const end = Number(at(value));
        const [left, width] = [Math.min(zero, end), Math.abs(end - zero)];
        return html`<div class="bar">
          <span class="bar-name">${name}</span>
          <span class="track">
            <i
              class="fill"
              style="left:${left}${unit};width:${width}${unit};background:${strokeOf(i).colour}"
            ></i>
            ${level && html`<i class="mark" style="left:${at(level.value)}${unit}"></i>`}
            ${dots.map((dot) => html`<i class="dot" style="left:${at(dot)}${unit}"></i>`)}
          </span>
          <span class="bar-label">${label}</span>
        </div>`;
      })}
    </div>
  </figure>`;
}
