/**
 * How long it takes until a program of ours is ready: a process from its start to its end, beside one of plain Node and one that imports
 * PyTorch. The package is imported by its name, as its users do; the addon is loaded by the first tensor.
 */
import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {pythons} from '../duels/programs.js';
import {ourName, type Comparison, type Side} from '../support/comparison.js';
import {printFigures, type FigureTable} from '../support/figure-table.js';
import {parseBenchFlags} from '../support/flags.js';
import {printComparison, printHead} from '../support/print.js';
import {sized} from '../support/quick.js';
import {writeResult} from '../support/results.js';
import {timesOf} from '../support/statistics.js';

interface Program {
  readonly name: string;
  readonly command: readonly string[];
}

const root = fileURLToPath(new URL('../../../', import.meta.url)); // from dist/bench/product
const cli = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

const moduleOf = (code: string): readonly string[] => [process.execPath, '--input-type=module', '-e', code];

const ours: readonly Program[] = [
  {name: "import 'crossmap/ops'", command: moduleOf("import 'crossmap/ops'")},
  {
    name: 'the first tensor',
    command: moduleOf("import {tensor} from 'crossmap/tensor'; tensor([1])"),
  },
  {name: "import 'crossmap/train'", command: moduleOf("import 'crossmap/train'")},
  {name: 'crossmap --help', command: [process.execPath, cli, '--help']},
  {name: 'crossmap info', command: [process.execPath, cli, 'info']},
];

const plainNode: Program = {name: 'node -e 0', command: [process.execPath, '-e', '0']};

/** Seconds from the start of a process to its end. */
function timeOf({name, command: [program = '', ...args]}: Program): number {
  const start = performance.now();
  const {status, error} = spawnSync(program, args, {cwd: root, stdio: 'ignore'});
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${name} ended with ${status ?? error?.message ?? 'a signal'}`);
  return seconds;
}

/** PyTorch, if a Python has it: the first look warms it up. */
function findTorch(): Program | undefined {
  const programs = pythons().map((python) => ({
    name: "python3 -c 'import torch'",
    command: [python, '-c', 'import torch'],
  }));
  return programs.find((program) => {
    try {
      return timeOf(program) > 0;
    } catch {
      return false;
    }
  });
}

/** Times of each program, in turns; the first turn, which reads from disk, is dropped. */
function takeTurns(programs: readonly Program[], samples: number): readonly (readonly number[])[] {
  const times = programs.map((): number[] => []);
  for (let round = 0; round <= samples; round++)
    for (const [index, program] of programs.entries()) {
      const seconds = timeOf(program);
      if (round > 0) times[index]?.push(seconds);
    }
  return times;
}

const {out, samples, text} = parseBenchFlags(process.argv.slice(2), {
  seconds: 1,
  samples: sized(15, 2),
  threads: [1],
});
printHead('product/start-up');
const torch = findTorch();
if (torch === undefined) console.log('  PyTorch is not compared: no Python can import it');
const peers = [plainNode, ...(torch === undefined ? [] : [torch])];
const programs = ours.filter(({name}) => name.includes(text));
const sides = takeTurns([...peers, ...programs], samples).map(timesOf);
const peerSides = peers.map(({name}, index): Side => ({name, ...sides[index]}));
const ourSides = sides.slice(peers.length);
const comparisons = programs.map(({name}, index): Comparison => ({
  title: name,
  sides: [{name: ourName, ...ourSides[index]}, ...peerSides],
}));
const medianOf = (side: Side | undefined): number => side?.median ?? NaN;
const beyondNode: FigureTable = {
  title: 'what a start takes beyond plain Node',
  columns: [{name: 'time', unit: 'seconds'}],
  rows: comparisons.map(({title, sides: [side]}) => ({
    name: title,
    figures: [medianOf(side) - medianOf(peerSides[0])],
  })),
};
for (const comparison of comparisons) printComparison(comparison);
printFigures(beyondNode);
if (out !== undefined)
  writeResult(out, {bench: 'product/start-up', peers: [], comparisons, tables: [beyondNode]});
