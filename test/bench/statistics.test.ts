/** What benches compute from samples. */
import test from 'ava';
import fc from 'fast-check';
import {growthOf, timesOf} from '../../bench/support/statistics.js';

test('times are the median and the quartiles, linear between samples, in whatever order these came', (t) => {
  t.deepEqual(timesOf([3, 1, 2]), {median: 2, lowerQuartile: 1.5, upperQuartile: 2.5, samples: 3});
  t.deepEqual(timesOf([10, 2, 30, 4]), {median: 7, lowerQuartile: 3.5, upperQuartile: 15, samples: 4});
  t.deepEqual(timesOf([5]), {median: 5, lowerQuartile: 5, upperQuartile: 5, samples: 1});
});

test('the growth of a power law is its power, whatever its factor', (t) => {
  fc.assert(
    fc.property(
      fc.double({min: -3, max: 3, noNaN: true}),
      fc.double({min: 1e-3, max: 1e3, noNaN: true}),
      (power, factor) => {
        const points = [8, 64, 100, 4096].map((size) => ({size, figure: factor * size ** power}));
        t.true(Math.abs(growthOf(points) - power) < 1e-9);
      },
    ),
  );
});

test('the growth of points beside a line is the slope of least squares', (t) => {
  // Logarithms to the base 2: (0, 0), (1, 1), (2, 1); mean x 1, mean y 2/3, slope (1 * 2/3 + 1 * 1/3) / 2.
  const points = [
    {size: 1, figure: 1},
    {size: 2, figure: 2},
    {size: 4, figure: 2},
  ];
  t.true(Math.abs(growthOf(points) - 0.5) < 1e-12);
});

test('a single size, or none, has no growth', (t) => {
  t.is(growthOf([]), NaN);
  t.is(growthOf([{size: 8, figure: 3}]), NaN);
  t.is(
    growthOf([
      {size: 8, figure: 3},
      {size: 8, figure: 4},
    ]),
    NaN,
  );
});
