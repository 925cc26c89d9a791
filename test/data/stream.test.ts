import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {openBatches, prepareData, type Batch, type PreparedData} from '../../lib/data/index.js';
import type {Config} from '../../lib/config/index.js';
import {smallConfig} from './corpora.js';

interface Opened {
  readonly config: Config;
  readonly data: PreparedData;
}

async function open(t: ExecutionContext, set: readonly string[] = []): Promise<Opened> {
  const config = await smallConfig(t, set);
  return {config, data: await prepareData(config)};
}

/** All batches of a training. */
function batchesOf({data, config}: Opened): Batch[] {
  const stream = openBatches(data, config);
  return Array.from({length: config.training.steps * config.training.accumulation}, () => stream.next());
}

/** The texts between the spans of each pair, as strings of ids. */
function pairsOf({tokens, pairs: {xStarts, xEnds, yStarts, yEnds}}: Batch): string[] {
  return [...xStarts.keys()].map((i) =>
    [tokens.subarray(xStarts[i], xEnds[i]), tokens.subarray(yStarts[i], yEnds[i])].join(' | '),
  );
}

function segmentsOf({tokens, segmentStarts}: Batch): string[] {
  return [...segmentStarts.keys()]
    .slice(1)
    .map((i) => tokens.subarray(segmentStarts[i - 1], segmentStarts[i]).join());
}

/** Tokens of segments of a kind. */
function tokensOf(batches: readonly Batch[], kind: 'text' | 'mapping', language?: string): number {
  let sum = 0;
  for (const {kinds, languages, segmentStarts} of batches)
    kinds.forEach((each, i) => {
      if (each === kind && (language ?? languages[i]) === languages[i])
        sum += segmentStarts[i + 1]! - segmentStarts[i]!;
    });
  return sum;
}

test('batches keep the contract: no padding, no control token and no segment end is predicted', async (t) => {
  const opened = await open(t);
  const {tokenizer} = opened.data;
  for (const batch of batchesOf(opened)) {
    const {tokens, targets, weights, positions, segmentStarts, prefixLengths, kinds, languages} = batch;
    t.true(tokens.length <= 512);
    t.deepEqual([targets.length, weights.length, positions.length], Array(3).fill(tokens.length));
    t.deepEqual(
      [prefixLengths.length, kinds.length, languages.length],
      Array(3).fill(segmentStarts.length - 1),
    );
    t.is(segmentStarts.at(-1), tokens.length);
    for (let s = 0; s + 1 < segmentStarts.length; s++) {
      const [start, end] = [segmentStarts[s]!, segmentStarts[s + 1]!];
      t.true(end - start <= 64);
      t.is(tokens[start], tokenizer.bos);
      t.is(tokens[end - 1], tokenizer.eos);
      for (let i = start; i < end; i++) {
        t.is(positions[i], i - start);
        t.is(targets[i], i + 1 < end ? tokens[i + 1] : -1);
        const isControl =
          targets[i] === -1 || (tokenizer.isControl(targets[i]!) && targets[i] !== tokenizer.eos);
        if (isControl) t.is(weights[i], 0);
      }
    }
  }
});

test('batches are nearly full', async (t) => {
  const opened = await open(t);
  const tokens = batchesOf(opened).reduce((sum, batch) => sum + batch.tokens.length, 0);
  t.true(tokens > 0.95 * 80 * 512);
});

test('spans spell both sides of a pair, which stands in the corpus, and each direction is there', async (t) => {
  const opened = await open(t);
  const {tokenizer} = opened.data;
  let seen = 0;
  for (const batch of batchesOf(opened)) {
    const {tokens, pairs, segmentStarts} = batch;
    const segments = segmentsOf(batch);
    for (let i = 0; i < pairs.xStarts.length; i++) {
      const x = tokens.subarray(pairs.xStarts[i], pairs.xEnds[i]);
      const y = tokens.subarray(pairs.yStarts[i], pairs.yEnds[i]);
      const [english, czech] = [await tokenizer.decode(x), await tokenizer.decode(y)];
      t.regex(english, /^(water|moon|house|river|child|bread|stone|light)( \w+){4}\.$/);
      t.is(czech.split(' ').length, 5);
      const [en, cs] = [tokenizer.language('en'), tokenizer.language('cs')];
      const forth = [tokenizer.bos, en, ...x, tokenizer.map, cs, ...y, tokenizer.eos].join();
      const back = [tokenizer.bos, cs, ...y, tokenizer.map, en, ...x, tokenizer.eos].join();
      const first = [...segmentStarts].indexOf(pairs.xStarts[i]! - 2);
      t.deepEqual(segments.slice(first, first + 2), [forth, back]);
      seen++;
    }
  }
  t.true(seen > 100);
});

test('pairs take their share of the tokens', async (t) => {
  const opened = await open(t);
  const batches = batchesOf(opened);
  const [text, mapping] = [tokensOf(batches, 'text'), tokensOf(batches, 'mapping')];
  // Within 5 %: batches are not quite full.
  t.true(Math.abs(mapping / (text + mapping) / 0.25 - 1) < 0.05);
  // And evenly: each tenth of training has them.
  for (let part = 0; part < 80; part += 8) {
    const some = batches.slice(part, part + 8);
    const share = tokensOf(some, 'mapping') / (tokensOf(some, 'text') + tokensOf(some, 'mapping'));
    t.true(Math.abs(share - 0.25) < 0.05, `${part}: ${share}`);
  }
});

test('languages take equal shares at alpha 0, in every few batches', async (t) => {
  const batches = batchesOf(await open(t, ['data.maxEpochs=100']));
  for (let part = 0; part < 80; part += 8) {
    const some = batches.slice(part, part + 8);
    const share = tokensOf(some, 'text', 'cs') / tokensOf(some, 'text');
    t.true(Math.abs(share - 0.5) < 0.02, `${part}: ${share}`);
  }
});

test('every pass goes through all text once, in another order', async (t) => {
  const opened = await open(t, [
    'data.mappingShare=0',
    'objectives.recipe=mono',
    'data.maxEpochs=100',
    'training.steps=100',
  ]);
  const [size] = opened.data.report.languages.filter(({language}) => language === 'en');
  const segments = batchesOf(opened).flatMap((batch) =>
    segmentsOf(batch).filter((_, i) => batch.languages[i] === 'en'),
  );
  const count = size!.training.segments;
  const [first, second] = [segments.slice(0, count), segments.slice(count, 2 * count)];
  t.is(second.length, count);
  t.is(new Set(first).size, count);
  t.is([...first].sort().join('\n'), [...second].sort().join('\n'));
  t.not(first.join('\n'), second.join('\n'));
});

test('every schedule sees the same pairs the same number of times', async (t) => {
  const opened = await open(t, ['data.mappingShare=0.4', 'data.maxEpochs=100']);
  const seen = (schedule: Config['data']['mappingSchedule']): string => {
    const config = {...opened.config, data: {...opened.config.data, mappingSchedule: schedule}};
    return batchesOf({...opened, config})
      .flatMap(pairsOf)
      .sort()
      .join('\n');
  };
  const constant = seen('constant');
  t.true(constant.split('\n').length > 280);
  t.is(seen('late'), constant);
  t.is(
    seen([
      [0, 0],
      [24, 1],
    ]),
    constant,
  );
  t.is(
    seen([
      [0, 0.1],
      [10, 0.6],
      [30, 0.3],
    ]),
    constant,
  );
});

test('the last batch has its share of pairs like every other', async (t) => {
  const batches = batchesOf(await open(t));
  for (const batch of batches.slice(-3)) {
    const mapping = tokensOf([batch], 'mapping') / batch.tokens.length;
    t.true(mapping > 0.1 && mapping < 0.5, String(mapping));
  }
});

test('late has text alone at first', async (t) => {
  const batches = batchesOf(await open(t, ['data.mappingSchedule=late']));
  t.is(tokensOf(batches.slice(0, 40), 'mapping'), 0);
  t.true(tokensOf(batches.slice(60), 'mapping') > 0.75 * tokensOf(batches.slice(60), 'text'));
});

test('restoring a position gives the batches that followed it', async (t) => {
  const opened = await open(t);
  const stream = openBatches(opened.data, opened.config);
  const positions = [JSON.stringify(stream.position)];
  const batches: Batch[] = [];
  for (let i = 0; i < 90; i++) {
    batches.push(stream.next());
    positions.push(JSON.stringify(stream.position));
  }
  const other = openBatches(opened.data, opened.config);
  fc.assert(
    fc.property(fc.nat(89), (at) => {
      other.restore(JSON.parse(positions[at]!));
      t.is(JSON.stringify(other.position), positions[at]!);
      for (let i = at; i < Math.min(at + 3, 90); i++) t.deepEqual(other.next(), batches[i]);
    }),
    {seed: 7, numRuns: 40},
  );
});

test('a position is small', async (t) => {
  const {data, config} = await open(t);
  t.true(JSON.stringify(openBatches(data, config).position).length < 400);
});

test('the seed decides the order, and not what is held out', async (t) => {
  const opened = await open(t);
  const other = {...opened, config: {...opened.config, seed: 2}};
  t.deepEqual(batchesOf(opened)[0], batchesOf(opened)[0]);
  t.notDeepEqual(batchesOf(other)[0], batchesOf(opened)[0]);
  const {reused} = await prepareData(other.config);
  t.true(reused);
});

for (const [title, change, message] of [
  ['no position', () => 'x', /it is no position: /],
  ['a position with a field too many', (p: object) => ({...p, more: 1}), /it is no position: /],
  [
    'a position in other data',
    (p: object) => ({...p, data: 'y'}),
    /it belongs to other data, or to data prepared with other options$/,
  ],
  [
    'a position of another seed',
    (p: object) => ({...p, seed: 9}),
    /it belongs to seed 9; this run has seed 1$/,
  ],
  [
    'a position without a source',
    (p: object) => ({...p, taken: {}}),
    /it lacks text:cs, which this run reads$/,
  ],
] as const)
  test(`${title} is refused, and the stream stays where it was`, async (t) => {
    const {data, config} = await open(t);
    const stream = openBatches(data, config);
    stream.next();
    const {position} = stream;
    t.throws(() => stream.restore(change(position)), {code: 'ERR_CHECKPOINT', message});
    t.deepEqual(stream.position, position);
  });

test('a position of another layout of pairs is refused', async (t) => {
  const {data, config} = await open(t);
  const {objectives} = config;
  const mono = {
    ...config,
    objectives: {
      ...objectives,
      mapping: {...objectives.mapping, weight: 0},
      contrastive: {...objectives.contrastive, weight: 0},
    },
  };
  const {position} = openBatches(data, mono);
  const stream = openBatches(data, config);
  t.throws(() => stream.restore(position), {code: 'ERR_CHECKPOINT', message: /it lacks pair:en\/cs/});
  const more = {...stream.position, taken: {...stream.position.taken, 'text:xx': 0}};
  t.throws(() => stream.restore(more), {
    code: 'ERR_CHECKPOINT',
    message: /it has text:xx, which this run does not read$/,
  });
});

test('the recipe mono takes the sides of pairs as text of their own, apart from each other', async (t) => {
  const opened = await open(t, ['objectives.recipe=mono', 'data.maxEpochs=100']);
  const batches = batchesOf(opened);
  t.is(tokensOf(batches, 'mapping'), 0);
  t.true(batches.every(({pairs}) => pairs.xStarts.length === 0));
  const stream = openBatches(opened.data, opened.config);
  for (const _ of batches) stream.next();
  const epochs = new Map(stream.epochs().map((each) => [each.source, each]));
  const [en, cs] = [epochs.get('side:en/cs:en')!, epochs.get('side:en/cs:cs')!];
  t.is(en.epochs, cs.epochs);
  const all = [...epochs.values()].reduce((sum, {tokens}) => sum + tokens, 0);
  t.true(Math.abs((en.tokens + cs.tokens) / all / 0.25 - 1) < 0.05);
});

test('contrastive alignment without mapping has pairs as two texts of one batch', async (t) => {
  const opened = await open(t, ['objectives.mapping.weight=0']);
  const batches = batchesOf(opened);
  t.is(tokensOf(batches, 'mapping'), 0);
  const pairs = batches.flatMap(pairsOf);
  t.true(pairs.length > 100);
  const mapped = batchesOf(await open(t)).flatMap(pairsOf);
  t.true(new Set(pairs).size > new Set(mapped).size);
});

test('pairs alone fill every batch', async (t) => {
  const opened = await open(t, ['data.monolingual=']);
  const batches = batchesOf(opened);
  t.is(tokensOf(batches, 'text'), 0);
  t.true(batches.every(({tokens}) => tokens.length > 400));
});

test('text alone fills every batch', async (t) => {
  const opened = await open(t, ['data.parallel=', 'objectives.recipe=mono']);
  t.true(batchesOf(opened).every(({tokens, kinds}) => tokens.length > 400 && !kinds.includes('mapping')));
});

test('training goes on past its planned end', async (t) => {
  const opened = await open(t);
  const stream = openBatches(opened.data, opened.config);
  const batches = Array.from({length: 160}, () => stream.next()).slice(80);
  const [text, mapping] = [tokensOf(batches, 'text'), tokensOf(batches, 'mapping')];
  t.true(Math.abs(mapping / (text + mapping) - 0.25) < 0.03);
});

test('epochs tell what has been taken', async (t) => {
  const opened = await open(t);
  const stream = openBatches(opened.data, opened.config);
  t.true(stream.epochs().every(({epochs, tokens}) => epochs === 0 && tokens === 0));
  const batches = Array.from({length: 80}, () => stream.next());
  const epochs = stream.epochs();
  t.deepEqual(
    epochs.map(({source}) => source),
    ['text:cs', 'text:en', 'pair:en/cs'],
  );
  t.is(epochs[0]?.tokens, tokensOf(batches, 'text', 'cs'));
  t.is(epochs[2]?.tokens, tokensOf(batches, 'mapping'));
  const planned = opened.data.report.languages.find(({language}) => language === 'cs')!.epochs;
  t.true(Math.abs(epochs[0]!.epochs / planned - 1) < 0.1);
});
