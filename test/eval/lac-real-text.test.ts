/** P10 of LAC: real sentence pairs, as vectors that know nothing but their letters. */
import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {hashText} from '../../lib/data/corpus/hash.js';
import {alignPair, cosinesOf, distinctPairs, lac, mexa} from '../../lib/eval/index.js';
import {pickRows} from '../../lib/eval/matrix.js';
import {createRandom} from '../../lib/eval/random.js';

const features = 128;

/**
 * Counts of runs of one to three letters, damped, spread over the features with the sign of their hash. What two languages share
 * (names, numbers, words of one origin) gives translations something in common, and no more than that.
 */
function vectorOf(sentence: string): number[] {
  const counts = new Map<string, number>();
  const text = ` ${sentence.toLowerCase()} `;
  for (let length = 1; length <= 3; length++)
    for (let at = 0; at + length <= text.length; at++) {
      const run = text.slice(at, at + length);
      counts.set(run, (counts.get(run) ?? 0) + 1);
    }
  const vector = Array.from({length: features}, () => 0);
  for (const [run, count] of counts) {
    const hash = hashText(run);
    vector[hash % features]! += (Math.floor(hash / features) % 2 === 0 ? 1 : -1) * Math.log1p(count);
  }
  return vector;
}

interface Pairs {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Words of each sentence. */
  readonly counts: {readonly x: readonly number[]; readonly y: readonly number[]};
}

async function realPairs(count: number): Promise<Pairs> {
  const file = fileURLToPath(new URL('../../../data/en-cs.tsv.gz', import.meta.url));
  const lines = gunzipSync(await readFile(file))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  const sides = [0, 1].map((side) => lines.map((line) => line.split('\t')[side]!)) as [string[], string[]];
  const kept = distinctPairs(...sides).slice(0, count);
  const [x, y] = sides.map((side) => kept.map((at) => side[at]!)) as [string[], string[]];
  const words = (side: string[]): number[] => side.map((sentence) => sentence.split(' ').length);
  return {
    x: Float64Array.from(x.flatMap(vectorOf)),
    y: Float64Array.from(y.flatMap(vectorOf)),
    counts: {x: words(x), y: words(y)},
  };
}

/** The pairs whose sides stand at these places. */
function chosen({x, y, counts}: Pairs, xs: readonly number[], ys = xs): Pairs {
  return {
    x: pickRows(x, features, xs),
    y: pickRows(y, features, ys),
    counts: {x: xs.map((at) => counts.x[at]!), y: ys.map((at) => counts.y[at]!)},
  };
}

function shuffled(count: number, random: ReturnType<typeof createRandom>): number[] {
  const keyed = Array.from({length: count}, (_, at) => ({at, key: random.uniform()}));
  return keyed.sort((a, b) => a.key - b.key).map(({at}) => at);
}

const measure = ({x, y, counts}: Pairs): {lac: number; mexa: number} => ({
  lac: lac({x, y}, {features, counts}).lac,
  mexa: mexa(cosinesOf({x, y}, features), counts.x.length),
});

test('P10 shuffled pairs of real sentences have 0 in their interval', async (t) => {
  const pairs = await realPairs(100);
  const random = createRandom(10);
  const interval = ({x, y, counts}: Pairs) =>
    alignPair({source: 'en', target: 'cs', layers: [{x, y}], features, counts, seed: 1, draws: 200}).interval;
  const all = Array.from({length: 100}, (_, at) => at);
  const holdsZero = all.filter(() => {
    const [low, high] = interval(chosen(pairs, all, shuffled(100, random)));
    return low <= 0 && 0 <= high;
  }).length;
  t.true(holdsZero >= 90, `${holdsZero} of 100`);
  t.true(interval(pairs)[0] > 0.1, 'true pairs are far from 0');
});

test('P10 few real pairs have the LAC of many on average, which MEXA does not', async (t) => {
  const pairs = await realPairs(400);
  const full = measure(pairs);
  const random = createRandom(11);
  for (const n of [50, 100]) {
    const samples = Array.from({length: 40}, () => measure(chosen(pairs, shuffled(400, random).slice(0, n))));
    const mean = (name: 'lac' | 'mexa'): number =>
      samples.reduce((sum, each) => sum + each[name], 0) / samples.length;
    t.true(Math.abs(mean('lac') - full.lac) < 0.03, `LAC at ${n}: ${mean('lac')}, at 400: ${full.lac}`);
    t.true(mean('mexa') - full.mexa > 0.03, `MEXA at ${n}: ${mean('mexa')}, at 400: ${full.mexa}`);
  }
});
