import test from 'ava';
import {
  bytes,
  count,
  duration,
  fixed,
  languageName,
  list,
  number,
  percent,
  plural,
} from '../../lib/report/format.js';
import {readHistory} from '../../lib/report/history.js';
import {html} from '../../lib/report/html.js';
import {dark, light, strokeOf} from '../../lib/report/palette.js';
import {changeMark} from '../../lib/report/section.js';
import {caution, findings} from '../../lib/report/verdict.js';
import type {PairAlignment} from '../../lib/eval/results.js';
import type {TrainEvent} from '../../lib/train/events.js';
import {syntheticRun} from './synthetic.js';

test('numbers keep the digits that matter', (t) => {
  const cases = [
    [4.21345, '4.213'],
    [0.012345, '0.01235'],
    [1234.5, '1,235'],
    [12.5, '12.50'],
    [-3, '−3.000'],
    [0, '0.000'],
    [1.5e7, '1.5e7'],
    [3e-5, '3e−5'],
    [NaN, 'not a number'],
    [Infinity, '∞'],
    [-Infinity, '−∞'],
  ] as const;
  for (const [value, text] of cases) t.is(number(value), text);
  t.is(fixed(-0.0001, 2), '0.00');
  t.is(fixed(-1.26, 1), '−1.3');
});

test('sizes, times and shares carry their unit and stay on one line with it', (t) => {
  t.deepEqual([950, 12_345, 3_214_080, 2e9].map(count), ['950', '12.3\u00a0k', '3.21\u00a0M', '2.00\u00a0G']);
  t.deepEqual([100, 2048, 742 * 2 ** 20, 3 * 2 ** 30].map(bytes), [
    '100\u00a0bytes',
    '2.00\u00a0KiB',
    '742\u00a0MiB',
    '3.00\u00a0GiB',
  ]);
  t.deepEqual([0.4, 48.2, 151, 3600, 11_100].map(duration), [
    '0.40\u00a0s',
    '48\u00a0s',
    '2\u00a0min\u00a031\u00a0s',
    '1\u00a0h\u00a000\u00a0min',
    '3\u00a0h\u00a005\u00a0min',
  ]);
  t.is(percent(0.1234), '12.3\u00a0%');
  t.deepEqual([plural(1, 'step'), plural(2000, 'step')], ['1 step', '2,000 steps']);
  t.deepEqual([list([]), list(['a']), list(['a', 'b', 'c'])], ['', 'a', 'a, b and c']);
});

test('languages have English names, and what is no language tag stays as it is', (t) => {
  t.deepEqual(['cs', 'uk', 'zh', 'zh-Hant'].map(languageName), [
    'Czech',
    'Ukrainian',
    'Chinese',
    'Traditional Chinese',
  ]);
  t.is(languageName('x<y'), 'x<y');
});

test('templates escape text and pass HTML on', (t) => {
  const inner = html`<b>${'<&>"\''}</b>`;
  t.is(inner.html, '<b>&lt;&amp;&gt;&quot;&#39;</b>');
  t.is(html`${inner}|${[1, 'a', inner]}|${undefined}${false}`.html, `${inner.html}|1a${inner.html}|`);
});

test('a change is marked by arrow, sign and words as well as by colour', (t) => {
  const show = (value: number): string => fixed(value, 1);
  const better = changeMark({first: 5, now: 3}, {show, better: 'lower'}).html;
  t.regex(better, /class="better"[\s\S]*▼[\s\S]*−2\.0[\s\S]*\(better\)/);
  t.regex(changeMark({first: 5, now: 3}, {show, better: 'higher'}).html, /class="worse"[\s\S]*\(worse\)/);
  t.regex(changeMark({first: 5, now: 5.01}, {show, better: 'lower'}).html, /±0/);
  t.is(changeMark({first: undefined, now: 5}, {show, better: 'lower'}).html, '–');
});

/** WCAG 2.1 relative luminance and contrast. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string): number => {
    const [r, g, bl] = [1, 3, 5].map((i) => {
      const c = parseInt(colour.slice(i, i + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * bl!;
  };
  const [high, low] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (high! + 0.05) / (low! + 0.05);
}

for (const [name, theme] of Object.entries({light, dark}))
  test(`${name} text has contrast 4.5 and curves have 3 on page and card`, (t) => {
    for (const ground of [theme.page, theme.card]) {
      for (const text of ['ink', 'muted', 'accent', 'good', 'bad'] as const)
        t.true(contrast(theme[text], ground) >= 4.5, `${text} ${contrast(theme[text], ground)}`);
      for (const colour of theme.series)
        t.true(contrast(colour, ground) >= 3, `${colour} ${contrast(colour, ground)}`);
    }
  });

test('curves beyond the colours differ by their dash', (t) => {
  t.is(light.series.length, dark.series.length);
  const strokes = Array.from({length: 32}, (_, i) => JSON.stringify(strokeOf(i)));
  t.is(new Set(strokes).size, 32);
});

const demo = syntheticRun({steps: 200, evaluateEvery: 100});
const change = (edit: (event: TrainEvent) => TrainEvent) => readHistory(demo.map(edit));
const withPairs = (edit: (pair: PairAlignment) => PairAlignment) =>
  change((event) => (event.type === 'evaluation' ? {...event, alignment: event.alignment.map(edit)} : event));

test('the verdict says what fell and what did not', (t) => {
  t.is(
    findings(readHistory(demo))[0],
    'The loss fell on all 3 objectives: next token, mapping and contrastive.',
  );
  const rising = change((event) =>
    event.type === 'step' ? {...event, losses: {...event.losses, contrastive: event.step}} : event,
  );
  t.is(findings(rising)[0], 'The loss fell on next token and mapping; it did not fall on contrastive.');
  const flat = change((event) => (event.type === 'step' ? {...event, losses: {next: 2}} : event));
  t.is(findings(flat)[0], 'The loss did not fall on any objective (next token).');
});

test('the verdict claims alignment only where intervals lie above chance', (t) => {
  t.regex(findings(readHistory(demo))[2]!, /every 95 % interval lies above chance/);
  const none = withPairs((pair) => ({...pair, interval: [-0.1, 0.1]}));
  t.regex(findings(none)[2]!, /no interval lies above chance, so no alignment has been shown/);
  const some = withPairs((pair) => (pair.target === 'cs' ? pair : {...pair, interval: [-0.1, 0.1]}));
  t.regex(findings(some)[2]!, /for 1 of 7 the 95 % interval lies above chance/);
});

test('retrieval is set against chance', (t) => {
  t.regex(
    findings(readHistory(demo))[3]!,
    /of cases, \d\.\d\s% at the first evaluation; chance is 0\.5\s%\.$/,
  );
});

test('a small model is called small, a large one is not, and both are one run', (t) => {
  t.regex(
    caution(readHistory(demo)),
    /^With 3\.21\sM parameters and 819\sk training tokens this is a small model\./,
  );
  const large = change((event) => (event.type === 'start' ? {...event, parameters: 1e9} : event));
  t.regex(caution(large), /^This is one run with one seed/);
});
