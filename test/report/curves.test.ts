import test from 'ava';
import fc from 'fast-check';
import {extent, linearScale, stepScale, wideScale} from '../../lib/report/scale.js';
import {finite, smooth, smoothingRadius, spread, thin} from '../../lib/report/series.js';
import {createRandom} from '../../lib/eval/random.js';

const points = (values: readonly number[]): {x: number; y: number}[] => values.map((y, x) => ({x, y}));
const random = createRandom(1);
const noisy = points(Array.from({length: 10_000}, () => random.uniform()));

test('thinning is bounded, keeps the order, the ends and every extreme of its stretch', (t) => {
  const few = thin(noisy, 50);
  t.true(few.length <= 102);
  t.deepEqual(
    few.map(({x}) => x),
    few.map(({x}) => x).toSorted((a, b) => a - b),
  );
  t.is(few[0], noisy[0]);
  t.is(few.at(-1), noisy.at(-1));
  t.deepEqual(extent(few.map(({y}) => y)), extent(noisy.map(({y}) => y)));
  t.deepEqual(thin(noisy.slice(0, 102), 50), noisy.slice(0, 102));
});

test('smoothing leaves a straight line as it is in its middle, and any constant everywhere', (t) => {
  const line = points(Array.from({length: 200}, (_, i) => 3 * i));
  smooth(line, 8)
    .slice(8, -8)
    .forEach(({x, y}) => t.true(Math.abs(y - 3 * x) < 1e-9));
  for (const {y} of smooth(points(Array(100).fill(2.5)), 9)) t.true(Math.abs(y - 2.5) < 1e-12);
});

test('smoothing takes out noise and does not touch a short curve', (t) => {
  const [low, high] = extent(smooth(noisy).map(({y}) => y));
  t.true(low > 0.2 && high < 0.8); // at the ends 11 values at least: three standard deviations are .26
  t.is(smoothingRadius(49), 0);
  t.deepEqual(
    smooth(noisy.slice(0, 40)).map(({y}) => y.toFixed(9)),
    noisy.slice(0, 40).map(({y}) => y.toFixed(9)),
  );
});

test('spread keeps the first and the last', (t) => {
  const items = Array.from({length: 100}, (_, i) => i);
  t.deepEqual(spread(items, 4), [0, 33, 66, 99]);
  t.deepEqual(spread(items.slice(0, 3), 4), [0, 1, 2]);
});

test('only finite points are drawn', (t) => {
  t.deepEqual(
    finite(points([1, NaN, Infinity, 2])).map(({x}) => x),
    [0, 3],
  );
});

test('a linear scale holds all values, has 2 to 8 ticks inside and labels that differ', (t) => {
  const value = fc.double({min: -1e7, max: 1e7, noNaN: true}).map((v) => (Math.abs(v) < 1e-6 ? 0 : v));
  fc.assert(
    fc.property(fc.array(value, {minLength: 1, maxLength: 5}), (values) => {
      const scale = linearScale(values);
      t.true(values.every((v) => scale.position(v) >= 0 && scale.position(v) <= 1));
      t.true(scale.ticks.length >= 1 && scale.ticks.length <= 8, `${scale.ticks.length}`);
      t.true(
        scale.ticks.every(
          (tick) => scale.position(tick.value) > -1e-6 && scale.position(tick.value) < 1 + 1e-6,
        ),
      );
      const spanned = scale.high - scale.low > 1e-3 * Math.max(Math.abs(scale.low), Math.abs(scale.high));
      if (spanned) t.is(new Set(scale.ticks.map(({label}) => label)).size, scale.ticks.length);
    }),
    {seed: 3, numRuns: 300},
  );
});

test('ticks are written one way along an axis', (t) => {
  const labels = (low: number, high: number): string[] =>
    linearScale([low, high], [low, high]).ticks.map(({label}) => label);
  t.deepEqual(labels(0, 0.002), ['0', '5e−4', '1e−3', '1.5e−3', '2e−3']);
  t.deepEqual(labels(0, 12_000), ['0', '5k', '10k']);
  t.deepEqual(labels(-0.1, 0.3), ['−0.1', '0', '0.1', '0.2', '0.3']);
  t.deepEqual(labels(3.5, 9), ['4', '6', '8']);
});

test('a wide range of positive values gets a logarithmic scale', (t) => {
  const wide = wideScale([0.3, 40, 2]);
  t.is(wide.kind, 'log');
  t.deepEqual(
    wide.ticks.map(({label}) => label),
    ['0.5', '1', '2', '5', '10', '20'],
  );
  t.true(wide.position(0.3) > 0 && wide.position(40) < 1);
  t.is(wideScale([1e-5, 1e5]).ticks.length, 11);
  t.deepEqual(
    wideScale([1e-3, 1e6]).ticks.map(({label}) => label),
    ['1e−3', '0.01', '0.1', '1', '10', '100', '1000', '10k', '100k', '1M'],
  );
  t.is(wideScale([1, 20]).kind, 'linear');
  t.is(wideScale([0, 2000]).kind, 'linear');
  t.is(wideScale([NaN]).kind, 'linear');
});

test('the steps of a run start at 0 and have whole ticks', (t) => {
  t.deepEqual(
    stepScale(400).ticks.map(({label}) => label),
    ['0', '100', '200', '300', '400'],
  );
  t.deepEqual(
    stepScale(100_000).ticks.map(({label}) => label),
    ['0', '20k', '40k', '60k', '80k', '100k'],
  );
  t.deepEqual(
    stepScale(1).ticks.map(({label}) => label),
    ['0', '1'],
  );
  t.is(stepScale(0).high, 1);
});
