/**
 * Line charts as SVG that stretches to any width: lines keep their weight (non-scaling-stroke), and the labels are HTML
 * around the drawing, so they keep their size on a phone.
 */
import {html, type Html} from './html.js';
import type {Stroke} from './palette.js';
import type {Scale} from './scale.js';
import type {Point} from './series.js';

export interface Curve {
  readonly name: string;
  readonly points: readonly Point[];
  readonly stroke: Stroke;
  /** `faint`: the raw values behind a smoothed curve; not in the legend and not read out. `main`: heavier. */
  readonly weight?: 'faint' | 'main';
}

interface Band {
  readonly low: readonly Point[];
  readonly high: readonly Point[];
  readonly colour: string;
}

interface LineChart {
  readonly title: string;
  /** What a reader who does not see the chart should know. */
  readonly description: string;
  /** Shown beside the title: the present value. */
  readonly latest?: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly curves: readonly Curve[];
  readonly bands?: readonly Band[];
  /** What the horizontal axis counts; default `step`. */
  readonly xName?: string;
  /** A level to compare with, such as chance. */
  readonly level?: {readonly value: number; readonly label: string};
  /** A legend tells several curves apart; default: when there is more than one that is not faint. */
  readonly legend?: boolean;
  /** Drawn beneath the chart on the same steps. */
  readonly beneath?: Html;
}

/** Evaluations are few: up to this many points get a dot each. */
const dottedUpTo = 40;

export function lineChart(chart: LineChart): Html {
  const named = chart.curves.filter(({weight}) => weight !== 'faint');
  return html`<figure class="chart">
    <figcaption>
      <span class="name">${chart.title}</span>
      ${chart.latest !== undefined && html`<span class="latest">${chart.latest}</span>`}
    </figcaption>
    <div class="frame">
      ${verticalAxis(chart.y)}
      <div
        class="plot"
        data-x="${chart.x.low} ${chart.x.high}"
        data-y="${chart.y.low} ${chart.y.high}"
        data-kind="${chart.y.kind}"
        data-x-kind="${chart.x.kind}"
        data-x-name="${chart.xName ?? 'step'}"
      >
        <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="${chart.description}">
          <path
            class="grid"
            d="${chart.y.ticks.map(({value}) => `M0 ${vertical(chart.y, value)}H1000`).join('')}"
          />
          ${chart.bands?.map((band) => bandPath(band, chart))}
          ${chart.level && levelPath(chart.level.value, chart.y)}
          ${chart.curves.map((curve) => curvePaths(curve, chart))}
        </svg>
        ${chart.level && levelLabel(chart.level, chart.y)}
        <i class="cross"></i>
      </div>
      ${chart.beneath} ${horizontalAxis(chart.x, chart.xName ?? 'step')}
    </div>
    ${(chart.legend ?? named.length > 1) && legend(named)}
  </figure>`;
}

/** Step labels under a chart; the outermost stay inside its width. */
function horizontalAxis(x: Scale, name: string): Html {
  return html`<div class="axis-name" aria-hidden="true">${name}</div>
    <div class="axis-x" aria-hidden="true">
      ${x.ticks.map(({value, label}) => {
        const share = x.position(value);
        const edge = share < 0.04 ? 'start' : share > 0.94 ? 'end' : 'middle';
        return html`<span class="${edge}" style="left:${short(100 * share)}%">${label}</span>`;
      })}
    </div>`;
}

function verticalAxis(y: Scale): Html {
  return html`<div class="axis-y" aria-hidden="true">
    ${y.ticks.map(({value, label}) => html`<span style="top:${short(vertical(y, value) / 10)}%">${label}</span>`)}
  </div>`;
}

function curvePaths({name, points, stroke, weight}: Curve, {x, y}: LineChart): Html {
  const path = pathOf(points, x, y);
  const style = `stroke:${stroke.colour}${stroke.dash ? `;stroke-dasharray:${stroke.dash}` : ''}`;
  if (weight === 'faint') return html`<path class="line faint" style="${style}" d="${path}" />`;
  const dots =
    points.length <= dottedUpTo &&
    html`<path
      class="dots"
      style="stroke:${stroke.colour}"
      d="${points.map((p) => `M${place(p, x, y)}h0`).join('')}"
    />`;
  return html`<path
      class="line${weight === 'main' && ' main'}"
      data-name="${name}"
      style="${style}"
      d="${path}"
    />${dots}`;
}

function pathOf(points: readonly Point[], x: Scale, y: Scale): string {
  return points.map((point, i) => (i === 0 ? 'M' : 'L') + place(point, x, y)).join('');
}

function bandPath({low, high, colour}: Band, {x, y}: LineChart): Html {
  const outline = pathOf([...low, ...[...high].reverse()], x, y);
  return html`<path class="band" style="fill:${colour}" d="${outline}Z" />`;
}

function levelPath(value: number, y: Scale): Html {
  return html`<path class="level" d="M0 ${vertical(y, value)}H1000" />`;
}

function levelLabel({value, label}: {readonly value: number; readonly label: string}, y: Scale): Html {
  return html`<span class="level-label" style="top:${short(vertical(y, value) / 10)}%">${label}</span>`;
}

function legend(curves: readonly Curve[]): Html {
  return html`<ul class="legend">
    ${curves.map(
      ({name, stroke}) =>
        html`<li data-curve="${name}">
          <svg width="18" height="8" aria-hidden="true">
            <path d="M1 4H17" style="stroke:${stroke.colour};stroke-dasharray:${stroke.dash ?? 'none'}" />
          </svg>
          ${name}
        </li>`,
    )}
  </ul>`;
}

function place({x, y}: Point, horizontal: Scale, verticalScale: Scale): string {
  return `${short(1000 * horizontal.position(x))} ${vertical(verticalScale, y)}`;
}

/** Distance from the top, in the thousand units of the drawing. */
function vertical(y: Scale, value: number): number {
  return short(1000 * (1 - y.position(value)));
}

/** Hundredths are finer than a pixel and keep the file small. */
function short(value: number): number {
  return Math.round(value * 100) / 100;
}
