/** The parts that every section of the report is made of. */
import {fixed} from './format.js';
import type {Change} from './history.js';
import {html, type Html, type HtmlValue} from './html.js';

interface Section {
  readonly id: string;
  readonly title: string;
  /** One or two sentences: how to read what follows. */
  readonly lead?: HtmlValue;
  readonly body: HtmlValue;
}

export function section({id, title, lead, body}: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${lead !== undefined && html`<p class="lead">${lead}</p>`} ${body}
  </section>`;
}

export interface Wording {
  readonly show: (value: number) => string;
  /** How a difference is shown; default: as the values are. */
  readonly difference?: (value: number) => string;
  /** Which way is better. */
  readonly better: 'lower' | 'higher';
}

/** `−1.23` or `+0.20`, marked better or worse by colour, arrow and words for those who see neither. */
export function changeMark({first, now}: Change, {show, difference = show, better}: Wording): Html {
  if (first === undefined || !Number.isFinite(first) || !Number.isFinite(now)) return html`–`;
  const text = difference(Math.abs(now - first));
  if (text === difference(0)) return html`<span class="same">±0</span>`;
  const rose = now > first;
  const isBetter = rose === (better === 'higher');
  return html`<span class="${isBetter ? 'better' : 'worse'}"
    ><span aria-hidden="true">${rose ? '▲' : '▼'}</span> ${rose ? '+' : '−'}${text}<span class="aloud">
      (${isBetter ? 'better' : 'worse'})</span
    ></span
  >`;
}

/** Text in a language of its own: it may run from right to left, and may need a font of its own. */
export function inLanguage(code: string, text: string): Html {
  return html`<bdi lang="${code}" dir="auto">${text}</bdi>`;
}

export const coefficient = (value: number): string => fixed(value, 3);
