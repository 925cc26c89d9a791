/** Groups of runs compared on a suite: what is better, what is undecided, what cannot be compared. */
import test from 'ava';
import {compareSuites, type SuiteResults} from '../../lib/eval/index.js';
import {createRandom} from '../../lib/eval/random.js';
import {results} from './results.js';

test('a group is better where all its runs are, on the same items', (t) => {
  const mono = {name: 'mono', results: [results('mono', 1, 0), results('mono', 2, 0)]};
  const full = {name: 'full', results: [results('full', 1, 0.4), results('full', 2, 0.4)]};
  const {comparisons, profiles} = compareSuites([mono, full]);
  t.deepEqual(
    comparisons.map(({task, measure, better, groups}) => [
      task,
      measure,
      better,
      groups[1]?.difference?.verdict,
    ]),
    [
      ['text', 'bits per byte', 'lower', 'better'],
      ['news', 'BLEU', 'higher', 'better'],
      ['news', 'chrF2', 'higher', 'better'],
      ['pick', 'acc', 'higher', 'better'],
      ['lac', 'LAC (crossmap definition)', 'higher', 'better'],
      ['quiz', 'F1', 'higher', 'better'],
    ],
  );
  for (const {groups} of comparisons) {
    const [first, second] = groups as [(typeof groups)[0], (typeof groups)[0]];
    t.is(first.difference, undefined);
    t.is(second.values.length, 2);
    t.true(Math.abs(second.difference!.mean - (second.mean - first.mean)) < 1e-12);
    t.true(second.range[0] <= second.mean && second.mean <= second.range[1]);
    t.is(second.difference!.intervals.length, 2);
  }
  t.is(comparisons[3]?.chance, 0.5);
  t.deepEqual(
    profiles[0]?.groups.map(({name, mean, runs}) => [name, mean.length, runs.length]),
    [
      ['mono', 3, 2],
      ['full', 3, 2],
    ],
  );
  const worse = compareSuites([full, mono]).comparisons.map(({groups}) => groups[1]?.difference?.verdict);
  t.deepEqual(new Set(worse), new Set(['worse']));
});

test('one seed, equal runs, and runs that disagree decide nothing', (t) => {
  const verdicts = (...groups: [string, SuiteResults[]][]) =>
    new Set(
      compareSuites(groups.map(([name, each]) => ({name, results: each}))).comparisons.map(
        ({groups: found}) => found[1]?.difference?.verdict,
      ),
    );
  t.deepEqual(verdicts(['a', [results('a', 1, 0)]], ['b', [results('b', 1, 0.4)]]), new Set(['undecided']));
  const equal = [results('a', 1, 0.2), results('a', 2, 0.2)];
  t.deepEqual(verdicts(['a', equal], ['b', equal]), new Set(['undecided']));
  const mixed = [results('b', 1, 0.4), results('b', 2, 0)];
  t.deepEqual(
    verdicts(['a', [results('a', 1, 0.2), results('a', 2, 0.2)]], ['b', mixed]),
    new Set(['undecided']),
  );
});

test('what was measured on other items is refused', (t) => {
  const a = {name: 'a', results: [results('a', 1, 0)]};
  const argument = {code: 'ERR_ARGUMENT'};
  t.throws(() => compareSuites([]), {...argument, message: /there must be a group/});
  t.throws(() => compareSuites([a, {name: 'b', results: []}]), {...argument, message: /b has no results/});
  const other = results('b', 1, 0);
  const changed = {
    ...other,
    tasks: other.tasks.map((task, i) => (i === 1 ? {...task, items: 'else'} : task)),
  };
  t.throws(() => compareSuites([a, {name: 'b', results: [changed]}]), {
    ...argument,
    message: /b \(runs\/b\) was measured on other items: its task 1 is news, where the first group has news/,
  });
  t.throws(() => compareSuites([a, {name: 'b', results: [{...other, tasks: other.tasks.slice(1)}]}]), {
    ...argument,
    message: /its task 0 is news/,
  });
});

test('the interval of a difference is about as wide as the items are many', (t) => {
  // Coins: of n items the difference of two accuracies has a standard error of sqrt(0.5 / n).
  const random = createRandom(3);
  const width = (n: number): number => {
    const coins = (): SuiteResults => {
      const base = results('a', 1, 0);
      const correct = Array.from({length: n}, () => random.uniform() < 0.5);
      const tasks = base.tasks.flatMap((task) =>
        task.type === 'translationChoice'
          ? [{...task, correct, acc: correct.filter(Boolean).length / n}]
          : [],
      );
      return {...base, tasks};
    };
    const {comparisons} = compareSuites([
      {name: 'a', results: [coins()]},
      {name: 'b', results: [coins()]},
    ]);
    const [low, high] = comparisons[0]!.groups[1]!.difference!.intervals[0]!;
    return high - low;
  };
  for (const n of [100, 1600]) {
    const expected = 2 * 1.96 * Math.sqrt(0.5 / n);
    t.true(Math.abs(width(n) / expected - 1) < 0.25, `${n}`);
  }
});
