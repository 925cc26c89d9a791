import {existsSync} from 'node:fs';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {parseConfig} from '../../lib/config/index.js';
import {eventSchema} from '../../lib/report/event-schema.js';
import {loadModel, type TrainEvent} from '../../lib/train/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {collect, only, tinyConfig, writeCorpus} from './tiny-run.js';

async function corpusFolder(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  return folder;
}

/** `step 3`, `evaluation 6`, `start`, ... in order, warnings left out. */
function course(events: readonly TrainEvent[]): string[] {
  return events
    .filter(({type}) => type !== 'warning')
    .map((event) => ('step' in event ? `${event.type} ${event.step}` : event.type));
}

const steps = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => `step ${from + index}`);

const wholeCourse = [
  'start',
  'evaluation 0',
  ...steps(1, 5),
  'checkpoint 5',
  'step 6',
  'evaluation 6',
  ...steps(7, 10),
  'checkpoint 10',
  ...steps(11, 12),
  'evaluation 12',
  'checkpoint 12',
  'end 12',
];

test('a run tells its course, and its folder holds what it told', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder);
  const events = await collect(config);
  t.deepEqual(course(events), wholeCourse);
  t.like(events[0], {name: 'tiny', steps: 12, resumedFrom: 0, device: 'cpu', languages: ['cs', 'en']});
  t.like(events.at(-1), {type: 'end', reason: 'finished', step: 12});

  const lines = (await readFile(join(config.output, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  t.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    JSON.parse(JSON.stringify(events)),
  );
  t.deepEqual(
    lines.map((line) => eventSchema.parse(JSON.parse(line))), // the report reads all of it
    JSON.parse(JSON.stringify(events)),
  );
  const saved = join(config.output, 'config.json');
  t.deepEqual(parseConfig(await readFile(saved, 'utf8'), {file: saved}), config);
  t.deepEqual(await readdir(join(config.output, 'checkpoints')), ['step-000010', 'step-000012']);
  t.deepEqual((await readdir(config.output)).sort(), ['checkpoints', 'config.json', 'data', 'metrics.jsonl']);
});

test('steps and evaluations carry what was trained and measured', async (t) => {
  const folder = await corpusFolder(t);
  const set = ['objectives.contrastive.weight=0.1', 'training.gradientNormsEvery=5'];
  const events = await collect(tinyConfig(folder, set));
  const trained = only(events, 'step');
  for (const {losses, tokens, tokensPerSecond, gradientNorm, targetShares, weights} of trained) {
    t.true(losses.next! > 0 && losses.mapping! > 0 && tokens > 0 && tokensPerSecond > 0 && gradientNorm > 0);
    t.true(targetShares!.next > 0 && targetShares!.mapping > 0);
    t.like(weights, {next: 1, mapping: 1});
  }
  const measured = trained.filter(({gradientNorms}) => gradientNorms !== undefined);
  t.deepEqual(
    measured.map(({step}) => step),
    [1, 6, 11],
  );
  for (const {gradientNorms} of measured) t.true(gradientNorms!.next! > 0 && gradientNorms!.mapping! > 0);
  t.true(measured.some(({gradientNorms}) => gradientNorms!.contrastive! > 0));
  t.true(trained.some(({losses, comparedPairs}) => losses.contrastive! > 0 && comparedPairs! > 1));
  t.deepEqual(
    trained.slice(0, 3).map(({learningRate}) => learningRate),
    [2.5e-3, 5e-3, trained[2]!.learningRate],
  );
  for (const {perplexity, alignment, samples} of only(events, 'evaluation')) {
    t.deepEqual(perplexity.map(({language}) => language).sort(), ['cs', 'en']);
    t.is(alignment.length, 1);
    t.is(alignment[0]!.lacByLayer.length, 3);
    t.is(samples.length, 2);
  }
});

test('a run that sees little text again and again learns it by heart', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder, 36);
  const config = tinyConfig(folder, [
    'training.steps=150',
    'training.learningRate=1.0e-2',
    'training.weightDecay=0',
    'training.accumulation=1',
    'training.tokensPerBatch=320',
    'data.heldOut={documentShare: 0, pairs: 0}',
    'evaluation={every: 1000, atStart: false}',
  ]);
  const trained = only(await collect(config), 'step');
  const [first, last] = [trained[0]!.losses, trained.at(-1)!.losses];
  t.true(first.next! > 5 && first.mapping! > 5);
  t.true(last.next! < 1, `next ${last.next}`);
  t.true(last.mapping! < 1, `mapping ${last.mapping}`);
});

test('a signal ends the run after its step, with a checkpoint that a second run goes on from', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder);
  const controller = new AbortController();
  const stopped = await collect(config, {signal: controller.signal}, (event) => {
    if (event.type === 'step' && event.step === 7) controller.abort();
    return false;
  });
  t.deepEqual(course(stopped).slice(-3), ['step 7', 'checkpoint 7', 'end 7']);
  t.like(stopped.at(-1), {reason: 'aborted'});
  const continued = await collect(config);
  t.like(continued[0], {resumedFrom: 7});
  t.deepEqual(course(continued), ['start', ...wholeCourse.slice(wholeCourse.indexOf('step 8'))]);
});

test('a signal that comes while the model is evaluated leaves the evaluation to the continuation', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder);
  const controller = new AbortController();
  const stopped = await collect(config, {signal: controller.signal}, (event) => {
    if (event.type === 'step' && event.step === 6) setImmediate(() => controller.abort());
    return false;
  });
  t.deepEqual(course(stopped).slice(-3), ['step 6', 'checkpoint 6', 'end 6']);
  t.deepEqual(course(await collect(config)).slice(0, 3), ['start', 'evaluation 6', 'step 7']);
});

test('a signal before the first step ends the run without a checkpoint, while data is prepared with an error', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder);
  await t.throwsAsync(collect(config, {signal: AbortSignal.abort()}), {code: 'ERR_ABORTED'});
  const controller = new AbortController();
  const stopped = await collect(config, {signal: controller.signal}, (event) => {
    if (event.type === 'start') controller.abort();
    return false;
  });
  t.deepEqual(course(stopped), ['start', 'end 0']);
  t.false(existsSync(join(config.output, 'checkpoints')));
});

test('a finished run has nothing left to do; more steps go on with a warning', async (t) => {
  const folder = await corpusFolder(t);
  await collect(tinyConfig(folder));
  const again = await collect(tinyConfig(folder));
  t.deepEqual(course(again), ['start', 'end 12']);
  t.like(again.at(-1), {reason: 'finished'});
  const more = await collect(tinyConfig(folder, ['training.steps=13', 'training.graphs=off']));
  t.deepEqual(course(more), ['start', 'step 13', 'evaluation 13', 'checkpoint 13', 'end 13']);
  t.true(
    only(more, 'warning').some(
      ({message}) => message === 'training.steps was 12 up to step 12 and is 13 from here on',
    ),
  );
  t.false(
    only(more, 'warning').some(({message}) => message.includes('graphs')),
    'it changes no result',
  );
});

test('afresh removes the checkpoints and metrics of the run before', async (t) => {
  const folder = await corpusFolder(t);
  await collect(tinyConfig(folder));
  const config = tinyConfig(folder, ['training.steps=3', 'evaluation.atStart=false']);
  const events = await collect(config, {resume: 'never'});
  t.deepEqual(course(events), ['start', ...steps(1, 3), 'evaluation 3', 'checkpoint 3', 'end 3']);
  t.deepEqual(await readdir(join(config.output, 'checkpoints')), ['step-000003']);
  const metrics = await readFile(join(config.output, 'metrics.jsonl'), 'utf8');
  t.is(metrics.trimEnd().split('\n').length, events.length);
});

test('what a killed run left half written is removed at the start', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder, [
    'training.steps=1',
    'training.warmupSteps=0',
    'evaluation.atStart=false',
  ]);
  await collect(config);
  const leftover = join(config.output, 'checkpoints', '.step-000002.0123456789ab.crossmap-tmp');
  await writeFile(leftover, 'half');
  await collect(config);
  t.false(existsSync(leftover));
});

test('the model of a run can be loaded from its folder or from a checkpoint', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder);
  await collect(config);
  using newest = await loadModel(config.output);
  using older = await loadModel(join(config.output, 'checkpoints', 'step-000010'));
  t.like(newest, {step: 12, config});
  t.is(older.step, 10);
  t.deepEqual(newest.tokenizer.languages, ['cs', 'en']);
  const weights = async ({decoder}: typeof newest): Promise<Float32Array> =>
    decoder.parameters[0]!.tensor.floats();
  t.notDeepEqual(await weights(newest), await weights(older));
});

test('the event loop turns during every step and evaluation', async (t) => {
  const folder = await corpusFolder(t);
  let turns = 0;
  let running = true;
  const turn = (): void => {
    turns++;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  let before = 0;
  await collect(tinyConfig(folder), {}, (event) => {
    if (event.type === 'step' || event.type === 'evaluation') {
      t.true(turns > before, `${event.type} ${event.step} held the event loop`);
      before = turns;
    }
    return false;
  });
  running = false;
});
