/** Results of two programs are compared by two numbers of each tensor. */
import test from 'ava';
import {differenceOf, probeOf} from '../../bench/duels/probe.js';
import {randomValues} from '../../lib/bench/random-values.js';

const values = randomValues(1000, {seed: 5});
const probes = {y: probeOf(values)};
const changed = (change: (copy: Float32Array) => void): ReturnType<typeof differenceOf> => {
  const copy = values.slice();
  change(copy);
  return differenceOf(probes, {y: probeOf(copy)});
};

test('the same numbers have no difference', (t) => {
  t.is(
    changed(() => {}),
    0,
  );
});

test('numbers that are all off by a share differ by about that share', (t) => {
  const difference = changed((copy) => copy.forEach((value, index) => (copy[index] = value * 1.01)));
  t.true(difference > 0.009 && difference < 0.02, String(difference));
});

test('two elements that changed places are seen, though the norm is the same', (t) => {
  const difference = changed((copy) => ([copy[3], copy[700]] = [copy[700]!, copy[3]!]));
  t.true(difference > 1e-3, String(difference));
});

test('a result that is missing, or no number, differs without bound', (t) => {
  t.is(differenceOf(probes, {}), Infinity);
  t.is(differenceOf({}, probes), Infinity);
  t.is(
    changed((copy) => (copy[0] = NaN)),
    Infinity,
  );
});
