/** Figures of benches as rows, Markdown and a page. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {growthRows, seriesOf} from '../../bench/report/growth.js';
import {markdownOf} from '../../bench/report/markdown.js';
import {pageOf} from '../../bench/report/page.js';
import {columns, peakSentences, rowsOf, tableOf} from '../../bench/report/rows.js';
import {ratesOf, type Comparison} from '../../bench/support/comparison.js';
import {figureCells, type FigureTable} from '../../bench/support/figure-table.js';
import {statusBytes} from '../../bench/support/resident.js';
import {machine, readResults, writeResult, type BenchResult} from '../../bench/support/results.js';
import {bytesText, percentText, rateText, timeText} from '../../bench/support/units.js';

const times = (
  median: number,
): {median: number; lowerQuartile: number; upperQuartile: number; samples: number} => ({
  median,
  lowerQuartile: median / 2,
  upperQuartile: median * 2,
  samples: 7,
});

const comparison: Comparison = {
  title: 'attention',
  threads: 2,
  flops: 4e9,
  bytes: 1e6,
  tokens: 100,
  peaks: {flopsPerSecond: 8e9, flopsBy: 'a loop of VDPBF16PS', bytesPerSecond: 1e9},
  sides: [
    {name: 'crossmap', ...times(1), extraBytes: 2e6},
    {name: 'PyTorch, plain', ...times(3), extraBytes: 3e9, difference: 2e-7},
    {name: 'PyTorch, other', error: 'no kernel'},
  ],
};

/** Sizes 1, 2, 4 ... of a series: ours takes size², the peer size³, and memory of size. */
const grown = (threads: number): Comparison[] =>
  [1, 2, 4].map((size) => ({
    title: `attention ${size}`,
    threads,
    place: {series: 'attention', axis: 'tokens', size, powers: {seconds: 2, extraBytes: 1}},
    sides: [
      {name: 'crossmap', ...times(size ** 2), extraBytes: 10 * size},
      size === 4
        ? {name: 'PyTorch, plain', error: 'too large'}
        : {name: 'PyTorch, plain', ...times(size ** 3), extraBytes: 0},
    ],
  }));

const result = (comparisons: readonly Comparison[]): BenchResult => ({
  bench: 'torch/attention',
  version: '0.1.0',
  date: '2026-01-02T03:04:05.000Z',
  quick: false,
  machine: {
    processor: 'A <processor>',
    cores: 2,
    instructionSet: 'avx512',
    memoryBytes: 8e9,
    system: 'Linux 6',
    node: 'v20',
    load: 0.25,
  },
  peers: [
    {name: 'PyTorch', version: '1.13', blas: {name: 'OpenBLAS', file: 'libopenblas.so'}},
    {name: 'PyTorch', version: '1.13', blas: {name: 'OpenBLAS', file: 'libopenblas.so'}},
    {name: 'onnxruntime', absent: 'it is not installed'},
  ],
  comparisons,
});

test('rates: operations decide the share of the peak where there are any, else bytes', (t) => {
  const [ours, theirs, failed] = comparison.sides;
  t.deepEqual(ratesOf(comparison, ours!), {
    flopsPerSecond: 4e9,
    bytesPerSecond: 1e6,
    tokensPerSecond: 100,
    shareOfPeak: 0.5,
  });
  t.is(ratesOf(comparison, theirs!).timesOurs, 3);
  t.deepEqual(ratesOf(comparison, failed!), {});
  const {flops: _flops, ...copied} = comparison;
  t.is(ratesOf(copied, ours!).shareOfPeak, 1e-3);
  const {peaks: _peaks, ...unmeasured} = comparison;
  t.is(ratesOf(unmeasured, ours!).shareOfPeak, undefined);
});

test('a row for each side has a cell for each column', (t) => {
  const rows = rowsOf([comparison]);
  t.true(rows.every((row) => row.length === columns.length));
  t.deepEqual(rows[0]?.slice(0, 6), ['attention', '2', 'crossmap', '1.00 s', '500.00 ms to 2.00 s', '7']);
  t.deepEqual(rows[1]?.slice(6), [
    '1.33 GFLOP/s',
    '16.7 %',
    '33.3 ',
    '3.00 GB',
    '2.0e-7',
    'crossmap is 3.00x as fast',
  ]);
  t.deepEqual(
    rows[2]?.filter((cell) => cell !== ''),
    ['attention', '2', 'PyTorch, other', '–', 'no kernel'],
  );
  t.is(rowsOf([{title: 'a', sides: comparison.sides}])[0]?.[1], 'all');
});

test('a table leaves out the columns that are empty in it', (t) => {
  const {heading, rows} = tableOf([{title: 'a', sides: [{name: 'crossmap', ...times(1)}]}]);
  t.deepEqual(heading, ['work', 'threads', 'who', 'median', 'quartiles', 'samples']);
  t.deepEqual(rows, [['a', 'all', 'crossmap', '1.00 s', '500.00 ms to 2.00 s', '7']]);
});

test('peaks are told once for each work that saw them', (t) => {
  t.deepEqual(peakSentences([comparison, comparison, ...grown(1)]), [
    'attention, 2 threads: 8.00 GFLOP/s by a loop of VDPBF16PS, 1.00 GB/s by a copy',
  ]);
});

test('a series for each number of threads, with the powers that fit', (t) => {
  const series = seriesOf([comparison, ...grown(1), ...grown(2)]);
  t.deepEqual(
    series.map(({name, threads}) => [name, threads]),
    [
      ['attention', 1],
      ['attention', 2],
    ],
  );
  t.deepEqual(growthRows(series).slice(0, 2), [
    ['attention', '1', 'crossmap', '1 to 4', 'tokens^2.00', 'tokens^1.00', 'tokens^2, tokens^1'],
    // Two sizes have times; memory that was not measurable is left out.
    ['attention', '1', 'PyTorch, plain', '1 to 2', 'tokens^3.00', '–', ''],
  ]);
});

test('the Markdown says where it ran, beside whom, and who is missing', (t) => {
  const text = markdownOf([result([comparison, ...grown(1)])]);
  t.true(text.includes('## torch/attention'));
  t.true(
    text.includes(
      'crossmap 0.1.0 on A <processor>, 2 cores, avx512, load 0.3, Node v20, 2026-01-02 03:04; PyTorch 1.13 on OpenBLAS (libopenblas.so); without onnxruntime: it is not installed\n',
    ),
  );
  t.true(text.includes('| attention | 2 | PyTorch, other | – |  |  |  |  |  |  |  | no kernel |'));
  t.true(text.includes('| attention | 1 | crossmap | 1 to 4 | tokens^2.00 |'));
  t.false(text.includes('mean nothing'));
  t.true(
    markdownOf([{...result([]), quick: true}]).includes('a quick run: its times mean nothing; crossmap'),
  );
});

test('the page has a plot of time and one of memory for each series, and loads nothing', (t) => {
  const page = pageOf([result([comparison, ...grown(1), ...grown(2)])], new Date(0));
  t.is(page.split('class="plot"').length - 1, 4);
  t.is(page.split('data-x-kind="log"').length - 1, 4);
  t.is(page.split('data-kind="log"').length - 1, 4);
  // The peer has times in both series and no memory in either.
  t.is(page.split('data-name="PyTorch, plain"').length - 1, 2);
  t.true(page.includes('A &lt;processor&gt;'));
  t.notRegex(page, /(?:src|href)="(?!data:|#)/);
});

const figures: FigureTable = {
  title: 'a step',
  columns: [
    {name: 'share', unit: 'share'},
    {name: 'time', unit: 'seconds'},
    {name: 'rate', unit: 'FLOP/s'},
    {name: 'size', unit: 'bytes'},
    {name: 'files', unit: 'count'},
  ],
  rows: [
    {name: 'matmul', figures: [0.75, 0.5, 2e9, 3e6, 12]},
    {name: 'idle', figures: [0.25, null, null]},
  ],
};

test('a table of figures has its units, and nothing where there is no figure', (t) => {
  const [matmul, idle] = figures.rows;
  t.deepEqual(figureCells(figures, matmul!), [
    'matmul',
    '75.0 %',
    '500.00 ms',
    '2.00 GFLOP/s',
    '3.0 MB',
    '12',
  ]);
  t.deepEqual(figureCells(figures, idle!), ['idle', '25.0 %', '', '', '', '']);
});

test('tables of figures stand in the Markdown and on the page, alone too', (t) => {
  const alone = {...result([]), tables: [figures]};
  const text = markdownOf([alone]);
  t.true(text.includes('| a step | share | time | rate | size | files |'));
  t.true(text.includes('| idle | 25.0 % |  |  |  |  |'));
  t.false(text.includes('| work |'));
  const page = pageOf([alone], new Date(0));
  t.true(page.includes('2.00 GFLOP/s'));
  t.is(page.split('<table').length - 1, 1);
});

test('results: a file for each bench, which a later run replaces', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'crossmap-bench-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  writeResult(folder, {bench: 'ops/b', peers: [], comparisons: []});
  writeResult(folder, {bench: 'ops/a', peers: [], comparisons: []});
  writeResult(folder, {bench: 'ops/a', peers: [], comparisons: [comparison]});
  writeResult(folder, {bench: 'torch/z', peers: [], comparisons: []});
  writeFileSync(join(folder, 'index.md'), 'not a result');
  const results = readResults(folder);
  t.deepEqual(
    results.map(({bench}) => bench),
    ['torch/z', 'ops/a', 'ops/b'],
  );
  t.deepEqual(results[1]?.comparisons, [comparison]);
  t.deepEqual(results[1]?.machine, machine());
});

test('units', (t) => {
  t.deepEqual([2e-6, 0.02, 3].map(timeText), ['2.0 µs', '20.00 ms', '3.00 s']);
  t.deepEqual([2e3, 2e6, 3e9].map(bytesText), ['2.0 kB', '2.0 MB', '3.00 GB']);
  t.deepEqual(
    [12, 1500, 2e6, 3e9, 4e12].map((rate) => rateText(rate, 'B/s')),
    ['12.0 B/s', '1.50 kB/s', '2.00 MB/s', '3.00 GB/s', '4.00 TB/s'],
  );
  t.is(percentText(0.5), '50.0 %');
});

test('resident memory: a line of the system, or nothing', (t) => {
  const status = 'Name:\tnode\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n';
  t.is(statusBytes('VmRSS', status), 2 ** 20);
  t.is(statusBytes('VmHWM', status), 2 ** 21);
  t.is(statusBytes('VmPeak', status), undefined);
});
