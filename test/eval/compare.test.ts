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
      ['news', 'BERTScore F1', 'higher', 'better'],
      ['pick', 'acc', 'higher', 'better'],
      ['lac', 'LAC (crossmap definition)', 'higher', 'better'],
      ['lac', 'P@1', 'higher', 'better'],
      ['lac', 'margin error', 'lower', 'better'],
      ['quiz', 'F1', 'higher', 'better'],
      ['quiz', 'exact match', 'higher', 'better'],
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
  t.is(comparisons.find(({measure}) => measure === 'acc')?.chance, 0.5);
  const {count} = mono.results[0]!.tasks.find(({type}) => type === 'alignment')!;
  t.is(comparisons.find(({measure}) => measure === 'P@1')?.chance, 1 / count);
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

test('the mean over tasks of a kind comes first; items that they share are drawn together', (t) => {
  const twice = (run: SuiteResults): SuiteResults => ({...run, tasks: [...run.tasks, ...run.tasks]});
  const groups = ['mono', 'full'].map((name, index) => ({
    name,
    results: [1, 2].map((seed) => twice(results(name, seed, 0.4 * index))),
  }));
  const {comparisons} = compareSuites(groups);
  t.is(comparisons.length, 30);
  const means = comparisons.slice(0, 10);
  t.is(means[0]?.task, 'perplexity, mean of 2');
  for (const [index, mean] of means.entries()) {
    // The same task twice: its mean is the task, interval included.
    const single = comparisons[10 + index]!;
    t.is(mean.measure, single.measure);
    t.deepEqual(mean.groups, single.groups);
  }
  // Other items: what is luck in one task is not in the other.
  const other = groups.map(({name, results: runs}) => ({
    name,
    results: runs.map((run) => ({
      ...run,
      tasks: run.tasks.map((task, index) =>
        task.type === 'translationChoice' && index >= run.tasks.length / 2
          ? {...task, correct: task.correct.toReversed()}
          : task,
      ),
    })),
  }));
  const width = ({groups: [, second]}: (typeof comparisons)[0]): number => {
    const [low, high] = second!.difference!.intervals[0]!;
    return high - low;
  };
  const apart = compareSuites(other).comparisons;
  const [mean, single] = apart.filter(({measure}) => measure === 'acc');
  t.true(width(mean!) < width(single!));
});

test('measures that the suite declares to decide come first, in its order, and are marked', (t) => {
  const declared = (
    name: string,
    primary: string[],
    times: number,
  ): {name: string; results: SuiteResults[]} => ({
    name,
    results: [1, 2].map((seed) => {
      const run = results(name, seed, 0);
      return {...run, primary, tasks: Array.from({length: times}, () => run.tasks).flat()};
    }),
  });
  const compared = (times: number) =>
    compareSuites([declared('a', ['p@1', 'bits-per-byte'], times), declared('b', [], times)]).comparisons;
  // Two tasks of each kind: their mean decides, and each task is shown further below.
  const twice = compared(2);
  t.is(twice.length, 30);
  t.deepEqual(
    twice.filter(({primary}) => primary).map(({task, measure}) => [task, measure]),
    [
      ['alignment, mean of 2', 'P@1'],
      ['perplexity, mean of 2', 'bits per byte'],
    ],
  );
  t.true(twice[1]?.primary);
  t.is(twice.filter(({measure}) => measure === 'P@1').length, 3);
  // One task of each kind: it decides itself.
  const once = compared(1);
  t.deepEqual(
    once.map(({measure, primary}) => [measure, primary]),
    [
      ['P@1', true],
      ['bits per byte', true],
      ...[
        'BLEU',
        'chrF2',
        'BERTScore F1',
        'acc',
        'LAC (crossmap definition)',
        'margin error',
        'F1',
        'exact match',
      ].map((measure) => [measure, false]),
    ],
  );
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

test('exact match is compared where both files have it of each question', (t) => {
  const older = ({tasks, ...run}: SuiteResults): SuiteResults => ({
    ...run,
    tasks: tasks.map((task) => {
      if (task.type !== 'questions') return task;
      const {exactMatches: _, exactMatchInterval: __, ...rest} = task;
      return rest;
    }),
  });
  const [first, second] = [results('a', 1, 0), results('b', 1, 0.4)];
  const exactMatchOf = (a: SuiteResults, b: SuiteResults) =>
    compareSuites([
      {name: 'a', results: [a]},
      {name: 'b', results: [b]},
    ]).comparisons.find(({measure}) => measure === 'exact match')?.groups[1];
  t.truthy(exactMatchOf(first, second)?.difference);
  t.is(exactMatchOf(older(first), second), undefined);
  t.is(exactMatchOf(first, older(second))?.difference, undefined);
});

test('scores of vectors are compared only where one encoder gave all of them', (t) => {
  const base = results('b', 1, 0.4);
  const other = {
    ...base,
    tasks: base.tasks.map((task) =>
      task.type === 'translation'
        ? {...task, scores: task.scores.map((score) => ({...score, signature: 'another'}))}
        : task,
    ),
  };
  const {comparisons} = compareSuites([
    {name: 'a', results: [results('a', 1, 0)]},
    {name: 'b', results: [other]},
  ]);
  const differenceOf = (measure: string) =>
    comparisons.find((each) => each.measure === measure)!.groups[1]!.difference;
  t.is(differenceOf('BERTScore F1'), undefined);
  t.truthy(differenceOf('BLEU'));
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
