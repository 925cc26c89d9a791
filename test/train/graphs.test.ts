/** Steps that are recorded and replayed: nothing may tell them from those that run op by op, but the number of calls. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Config} from '../../lib/config/index.js';
import {CrossmapError} from '../../lib/errors.js';
import {canCapture, memory} from '../../lib/tensor/index.js';
import type {TrainEvent} from '../../lib/train/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {countCalls, failing} from '../support/native-calls.js';
import {testDevices} from '../support/ops.js';
import {collect, only, smallRun, tinyConfig, writeCorpus} from './tiny-run.js';

const steps = 5;

const reduced = [
  ...smallRun,
  `training={steps: ${steps}, tokensPerBatch: 96, accumulation: 2, learningRate: 5.0e-3, warmupSteps: 2, checkpointEvery: ${steps}}`,
];

interface Outcome {
  readonly events: readonly TrainEvent[];
  readonly calls: ReadonlyMap<string, number>;
  /** Of the last checkpoint: weights, and the state of the optimizer. */
  readonly files: readonly Buffer[];
}

async function run(config: Config): Promise<Outcome> {
  let events: readonly TrainEvent[] = [];
  const calls = await countCalls(async () => (events = await collect(config)));
  const folder = join(config.output, 'checkpoints', `step-00000${steps}`);
  const files = await Promise.all(
    ['model.safetensors', 'optimizer.safetensors'].map((name) => readFile(join(folder, name))),
  );
  return {events, calls, files};
}

/** What steps did; not how long it took. */
function stepsOf({events}: Outcome): object[] {
  return only(events, 'step').map((event) => ({
    ...event,
    tokensPerSecond: 0,
    peakBytes: 0,
    seconds: 0,
    etaSeconds: 0,
  }));
}

async function folderWithCorpus(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  return folder;
}

const cases: Readonly<Record<string, readonly string[]>> = {
  'float32, rivals from the step, a weight that warms up and a temperature that is learnt': [
    'objectives.contrastive={weight: 0.5, warmupShare: 0.6, negatives: step, learnableTemperature: true}',
  ],
  'bfloat16, rivals from the micro-batch, prefixes and activation checkpointing': [
    'dtype=bfloat16',
    'training.activationCheckpointing=true',
    'objectives={contrastive: {weight: 0.5, warmupShare: 0.6}, mapping: {prefix: true}}',
  ],
};

for (const device of testDevices.filter(canCapture)) {
  for (const [title, set] of Object.entries(cases))
    test.serial(`${device} a recorded run is the run op by op, to the bit: ${title}`, async (t) => {
      const folder = await folderWithCorpus(t);
      const configOf = (graphs: string): Config =>
        tinyConfig(folder, [...reduced, ...set, `device=${device}`, `training.graphs=${graphs}`], graphs);
      const [recorded, plain] = [await run(configOf('auto')), await run(configOf('off'))];
      t.is(stepsOf(plain).length, steps);
      t.deepEqual(stepsOf(recorded), stepsOf(plain));
      for (const [index, file] of plain.files.entries()) t.true(recorded.files[index]!.equals(file));
      for (const name of ['next', 'mapping', 'contrastive'] as const)
        t.true(only(plain.events, 'step').some(({losses}) => losses[name]! > 0));
      // The first step runs op by op, the second is recorded and replayed.
      t.is(recorded.calls.get('replay'), steps - 1);
      t.is(recorded.calls.get('endCapture'), 1);
      t.is(plain.calls.get('replay'), undefined);
    });

  test.serial(
    `${device} a step that diverges in a replay names what one that runs op by op does`,
    async (t) => {
      const folder = await folderWithCorpus(t);
      const messageOf = async (graphs: string): Promise<{message: string; replays: number}> => {
        const config = tinyConfig(
          folder,
          [
            ...reduced,
            `device=${device}`,
            `training={graphs: ${graphs}, learningRate: 1.0e+6, warmupSteps: 0, clipNorm: off, steps: ${steps}, tokensPerBatch: 96, accumulation: 2}`,
          ],
          graphs,
        );
        let error: Error | undefined;
        const calls = await countCalls(async () => {
          error = await t.throwsAsync(collect(config), {code: 'ERR_DIVERGED'});
        });
        return {message: error!.message, replays: calls.get('replay') ?? 0};
      };
      const [recorded, plain] = [await messageOf('auto'), await messageOf('off')];
      t.is(recorded.message, plain.message);
      t.regex(plain.message, /^training diverged at step 2: .*[\w.]+ has the .*micro-batch [01] \(cs, en\)/);
      t.deepEqual([recorded.replays, plain.replays], [1, 0]);
    },
  );

  test.serial(`${device} a run that has no memory to record goes on op by op, and says so`, async (t) => {
    const folder = await folderWithCorpus(t);
    const config = tinyConfig(folder, [...reduced, `device=${device}`, 'training.gradientNormsEvery=0']);
    // Two layers of two micro-batches: the sixth call is in the second step, which is the first to be recorded.
    const failure = {
      name: 'attention',
      call: 6,
      error: new CrossmapError('ERR_OUT_OF_MEMORY', 'no room'),
    };
    let events: readonly TrainEvent[] = [];
    await failing(failure, async () => (events = await collect(config)));
    t.is(only(events, 'step').length, steps);
    t.deepEqual(
      only(events, 'warning').filter(({step}) => step > 0),
      [
        {
          type: 'warning',
          step: 2,
          message:
            'steps run op by op from here on: there is no memory to record them as CUDA graphs (no room)',
        },
      ],
    );
  });

  test.serial(`${device} a run that has no memory to compare objectives goes on, and says so`, async (t) => {
    const folder = await folderWithCorpus(t);
    const config = tinyConfig(folder, [...reduced, `device=${device}`, 'training.gradientNormsEvery=1']);
    const failure = {
      name: 'attention',
      call: 2,
      error: new CrossmapError('ERR_OUT_OF_MEMORY', 'no room'),
    };
    let events: readonly TrainEvent[] = [];
    await failing(failure, async () => (events = await collect(config)));
    t.is(only(events, 'step').length, steps);
    t.true(only(events, 'step').every(({gradientNorms}) => gradientNorms === undefined));
    const [warning] = only(events, 'warning').filter(({step}) => step > 0);
    t.is(warning?.step, 1);
    t.regex(
      warning!.message,
      /^gradient norms by objective are not measured from here on: there is no memory/,
    );
  });

  test.serial(`${device} a run gives all memory back, recordings included`, async (t) => {
    const folder = await folderWithCorpus(t);
    const config = tinyConfig(folder, [...reduced, `device=${device}`]);
    const {allocatedBytes} = memory(device);
    await collect(config);
    t.true(memory(device).allocatedBytes <= allocatedBytes, 'garbage of tests before may go');
  });
}
