/** The colours of the report, by day and by night. A test holds them to the contrast that WCAG 2.1 AA asks for. */

interface Theme {
  /** Behind everything, and of the cards on it. */
  readonly page: string;
  readonly card: string;
  readonly ink: string;
  /** Secondary text. */
  readonly muted: string;
  /** Borders and grid: decoration, nothing depends on seeing them. */
  readonly rule: string;
  /** Shadow at the edge of a table that goes on. */
  readonly shade: string;
  readonly accent: string;
  readonly good: string;
  readonly bad: string;
  /** Curves. Neighbours differ in lightness as well as in hue, so they stay apart for colour-blind readers. */
  readonly series: readonly string[];
}

export const light: Theme = {
  page: '#f5f6f8',
  card: '#ffffff',
  ink: '#15181d',
  muted: '#57616e',
  rule: '#e2e5ea',
  shade: '#15181d2e',
  accent: '#0a62ad',
  good: '#00714f',
  bad: '#b3420a',
  series: ['#0a62ad', '#d2570b', '#008a64', '#9c3f86', '#2f92cf', '#8a6500', '#4b5563', '#c0392b'],
};

export const dark: Theme = {
  page: '#0e1116',
  card: '#171b22',
  ink: '#e9ecf1',
  muted: '#a0aab7',
  rule: '#2b323c',
  shade: '#000000a6',
  accent: '#62b2f5',
  good: '#3fcf9f',
  bad: '#ff9a5c',
  series: ['#62b2f5', '#ff8a45', '#31c795', '#e28fcb', '#a5dcff', '#e6c04a', '#b7c0cc', '#ff7f73'],
};

export function cssVariables({series, ...colours}: Theme): string {
  return [
    ...Object.entries(colours).map(([name, value]) => `--${name}:${value}`),
    ...series.map((value, i) => `--s${i}:${value}`),
  ].join(';');
}

export interface Stroke {
  /** CSS colour. */
  readonly colour: string;
  /** stroke-dasharray; none for a solid line. */
  readonly dash: string | undefined;
}

const dashes = [undefined, '7 4', '2 4', '9 3 2 3'];

/** Colour and dash of the i-th curve: once the colours are used up they come again with another dash. */
export function strokeOf(i: number): Stroke {
  const colours = light.series.length;
  return {colour: `var(--s${i % colours})`, dash: dashes[Math.floor(i / colours) % dashes.length]};
}
