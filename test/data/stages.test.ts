/** A curriculum: each source of pairs in its own part of training. */
import test, {type ExecutionContext} from 'ava';
import type {Config} from '../../lib/config/index.js';
import {openBatches, prepareData, type Batch, type PreparedData} from '../../lib/data/index.js';
import {configIn, folderWith, sentence, sentences, smallFiles, smallYaml} from './corpora.js';

/** Pairs of English with Czech, of the sentences from a number on. */
const pairsFrom = (first: number, count: number): string =>
  sentences('en', first, count)
    .map((text, i) => `${text}\t${sentence('cs', first + i)}\n`)
    .join('');

const files = {
  ...smallFiles,
  'first.tsv': pairsFrom(2000, 300),
  'more.tsv': pairsFrom(4000, 40),
  'second.tsv': pairsFrom(9000, 200),
};

const yaml = smallYaml.replace(
  '- {source: en, target: cs, file: en-cs.tsv}',
  `- {source: en, target: cs, file: first.tsv, name: first}
    - {source: cs, target: en, file: more.tsv, columns: [1, 0], name: first}
    - {source: en, target: cs, file: second.tsv, name: second}`,
);

const stages = 'data.stages=[{share: 0.6, pairs: first}, {share: 0.4, pairs: second}]';

interface Opened {
  readonly config: Config;
  readonly data: PreparedData;
}

async function open(t: ExecutionContext, set: readonly string[] = [stages]): Promise<Opened> {
  const config = configIn(await folderWith(t, files), yaml, set);
  return {config, data: await prepareData(config)};
}

function batchesOf({data, config}: Opened): Batch[] {
  const stream = openBatches(data, config);
  return Array.from({length: config.training.steps * config.training.accumulation}, () => stream.next());
}

/** The English sides of the pairs of batches. */
async function englishOf(batches: readonly Batch[], {data: {tokenizer}}: Opened): Promise<string[]> {
  const spans = batches.flatMap(({tokens, pairs: {xStarts, xEnds}}) =>
    [...xStarts.keys()].map((i) => tokens.subarray(xStarts[i], xEnds[i])),
  );
  return Promise.all(spans.map((ids) => tokenizer.decode(ids)));
}

const first = new Set([...sentences('en', 2000, 300), ...sentences('en', 4000, 40)]);
const second = new Set(sentences('en', 9000, 200));

test('each source of pairs is a row of the report, and pairs are held out of the first alone', async (t) => {
  const {data} = await open(t);
  t.deepEqual(
    data.report.pairs.map(({name, read, heldOut, training}) => [name, read, heldOut, training.segments]),
    [
      ['first', 340, 20, 320],
      ['second', 200, 0, 200],
    ],
  );
  const shares = data.report.pairs.map(({share}) => share);
  t.true(Math.abs(shares[0]! - 0.6) < 1e-9 && Math.abs(shares[1]! - 0.4) < 1e-9, String(shares));
  t.is(data.heldOut.pairs.length, 1);
  t.false(data.report.warnings.some((warning) => warning.includes('held out instead')));
});

test('pairs come in their own stage alone, and each as often as planned', async (t) => {
  const opened = await open(t);
  const batches = batchesOf(opened);
  // 40 steps of two batches: the first stage is 24 of them.
  const [early, late] = [batches.slice(0, 48), batches.slice(48)];
  const [one, other] = [await englishOf(early, opened), await englishOf(late, opened)];
  t.true(one.length > 0 && one.every((text) => first.has(text)));
  t.true(other.length > 0 && other.every((text) => second.has(text)));
  for (const [index, seen] of [one, other].entries()) {
    const {epochs, training} = opened.data.report.pairs[index]!;
    t.is(seen.length, Math.ceil(epochs * training.segments));
    // A pair is seen once more than another at most.
    const counts = new Map<string, number>();
    for (const text of seen) counts.set(text, (counts.get(text) ?? 0) + 1);
    t.true(Math.max(...counts.values()) <= Math.ceil(epochs));
  }
});

test('a schedule decides how much of the pairs falls into each stage, in which all of them come', async (t) => {
  const {data, config} = await open(t, [stages, 'data.maxEpochs=100']);
  const tokensOf = async (mappingSchedule: Config['data']['mappingSchedule']): Promise<[number, number]> => {
    const opened = {data, config: {...config, data: {...config.data, mappingSchedule}}};
    const stream = openBatches(data, opened.config);
    const batches = Array.from({length: 80}, () => stream.next());
    t.true((await englishOf(batches.slice(0, 48), opened)).every((text) => first.has(text)));
    t.true((await englishOf(batches.slice(48), opened)).every((text) => second.has(text)));
    const [one, other] = stream.epochs().slice(2);
    t.deepEqual([one?.source, other?.source], ['pair:first:en/cs', 'pair:second:en/cs']);
    return [one?.tokens ?? 0, other?.tokens ?? 0];
  };
  const constant = await tokensOf('constant');
  t.true(Math.abs(constant[0] / constant[1] - 1.5) < 0.05, String(constant));
  const rising = await tokensOf([
    [0, 0.1],
    [24, 0.4],
  ]);
  // 24 steps at 0.1 and 16 at 0.4.
  t.true(Math.abs(rising[1] / rising[0] - 6.4 / 2.4) < 0.1, String(rising));
  const [before, after] = [constant, rising].map(([one, other]) => one + other);
  t.true(Math.abs(after! / before! - 1) < 0.02, `${before} ${after}`);
});

test('going on from any position, also in and between stages, gives the same batches', async (t) => {
  const {data, config} = await open(t);
  const stream = openBatches(data, config);
  const positions: string[] = [];
  const batches: Batch[] = [];
  for (let i = 0; i < 84; i++) {
    positions.push(JSON.stringify(stream.position));
    batches.push(stream.next());
  }
  for (const at of [0, 23, 47, 48, 49, 63, 79, 80, 82]) {
    const other = openBatches(data, config);
    other.restore(JSON.parse(positions[at]!));
    for (let i = at; i < Math.min(at + 3, 84); i++) t.deepEqual(other.next(), batches[i], `batch ${i}`);
  }
});

test('pairs alone, and pairs whose sides are text of their own, keep to their stages', async (t) => {
  const alone = await open(t, [stages, 'data.monolingual=']);
  const batches = batchesOf(alone);
  t.true((await englishOf(batches.slice(0, 48), alone)).every((text) => first.has(text)));
  t.true((await englishOf(batches.slice(48), alone)).every((text) => second.has(text)));

  const mono = await open(t, [stages, 'objectives.recipe=mono']);
  const stream = openBatches(mono.data, mono.config);
  const taken = (source: string): number => stream.position.taken[source] ?? 0;
  for (let i = 0; i < 48; i++) stream.next();
  const sides = ['side:first:en/cs:en', 'side:first:en/cs:cs'].map(taken);
  t.true(sides[0]! > 0 && sides[0] === sides[1], String(sides));
  t.is(taken('side:second:en/cs:en'), 0);
  for (let i = 48; i < 80; i++) stream.next();
  t.deepEqual(['side:first:en/cs:en', 'side:first:en/cs:cs'].map(taken), sides);
  t.true(taken('side:second:en/cs:en') > 0);
});

test('names without stages are sources that are mixed all the time', async (t) => {
  const opened = await open(t, []);
  const batches = batchesOf(opened);
  for (const part of [batches.slice(0, 20), batches.slice(60)]) {
    const english = await englishOf(part, opened);
    t.true(english.some((text) => first.has(text)) && english.some((text) => second.has(text)));
  }
});

test('a stage in which no pairs are due is refused', async (t) => {
  await t.throwsAsync(open(t, [stages, 'data.mappingSchedule=late', 'data.mappingShare=0.2']), {
    code: 'ERR_CONFIG',
    message:
      'data.stages[0] takes pairs from first in steps 1 to 24, in which data.mappingSchedule has none due; let the stage be longer, or the schedule another one',
  });
});
