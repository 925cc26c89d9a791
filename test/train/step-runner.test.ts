/** Steps that are recorded by what they have in common. */
import test from 'ava';
import {CrossmapError} from '../../lib/errors.js';
import type {Batch} from '../../lib/data/batch.js';
import type {Decoder} from '../../lib/nn/index.js';
import {createObjectives, type Objectives} from '../../lib/objectives/index.js';
import {canCapture, emptyCache, memory, type Device, type Tensor} from '../../lib/tensor/index.js';
import type {StepParts} from '../../lib/train/computed-step.js';
import {createOptimizer} from '../../lib/train/optimizer.js';
import {createStepRunner} from '../../lib/train/step-runner.js';
import {shaken} from '../nn/shapes.js';
import {batchOf, configOf} from '../objectives/batches.js';
import {parts as many, texts, whole as one} from '../objectives/measure.js';
import {countCalls, failing} from '../support/native-calls.js';
import {testDevices} from '../support/ops.js';

const allObjectives = configOf(
  'contrastive: {weight: 0.5, warmupShare: 0.5, negatives: step}',
  'steps: 100, tokensPerBatch: 112',
);

interface World extends StepParts {
  readonly decoder: Decoder;
  dispose(): void;
}

function createWorld(device: Device, config = allObjectives): World {
  const decoder = shaken({device, dtype: 'float32'});
  const objectives: Objectives = createObjectives(config, decoder);
  const parameters = [...decoder.parameters, ...objectives.parameters];
  const optimizer = createOptimizer(parameters, config.training);
  const dispose = (): void => {
    for (const each of [optimizer, objectives, decoder]) each.dispose();
  };
  return {decoder, objectives, parameters, optimizer, dispose};
}

type Runner = ReturnType<typeof createStepRunner>;

/** Loss, norm and gradients of each step, read back. */
async function runAll(
  {objectives}: World,
  runner: Runner,
  all: readonly (readonly Batch[])[],
): Promise<(readonly number[])[][]> {
  const found: (readonly number[])[][] = [];
  for (const [index, batches] of all.entries()) {
    const prepared = objectives.prepare(batches, index);
    const computed = runner.run(prepared);
    prepared.dispose();
    const {loss, norm, gradients} = computed;
    const tensors: Tensor[] = [loss, norm, ...gradients.flatMap((each) => each ?? [])];
    found.push(await Promise.all(tensors.map(async (each) => [...(await each.floats())])));
    computed.dispose();
  }
  return found;
}

/** Steps of as many tokens as those of `one`, but of more segments. */
const segmented: readonly Batch[] = [batchOf(Array.from({length: 20}, () => [11]))];

/** Steps of 33 to 37 tokens, which is above that up to which batches are filled. */
const steps = [3, 4, 5, 6, 7].map((words): readonly Batch[] => [
  batchOf([...[1, 2, 3].map(() => texts[3]!), Array.from({length: words}, (_, word) => 5 + word)]),
]);
const unfilled = configOf('recipe: mono', 'steps: 100, tokensPerBatch: 32');

for (const device of testDevices.filter(canCapture)) {
  test.serial(`${device} memory is as before once a runner is gone, whatever it has recorded`, async (t) => {
    const world = createWorld(device);
    const {allocatedBytes} = memory(device);
    const runner = createStepRunner(world, {device, graphs: 'auto'});
    await runAll(world, runner, [one, one, many, many, one]);
    t.true(memory(device).allocatedBytes > allocatedBytes);
    runner.dispose();
    t.is(memory(device).allocatedBytes, allocatedBytes);
    world.dispose();
  });

  test.serial(`${device} several recordings need little more memory than one`, async (t) => {
    const world = createWorld(device);
    const runner = createStepRunner(world, {device, graphs: 'auto'});
    const held = (): number => {
      emptyCache(device);
      return memory(device).allocatedBytes + memory(device).cachedBytes;
    };
    const before = held();
    await runAll(world, runner, [one, one]);
    const alone = held() - before;
    await runAll(world, runner, [segmented, segmented]);
    t.true(held() - before <= 1.25 * alone, `${alone} bytes for one recording, ${held() - before} for two`);
    runner.dispose();
    world.dispose();
  });

  test.serial(
    `${device} steps of several signatures are recorded, and the one longest unused goes`,
    async (t) => {
      const world = createWorld(device, unfilled);
      const wanted = await runAll(world, createStepRunner(world, {device, graphs: 'off'}), steps);
      const runner = createStepRunner(world, {device, graphs: 'auto'});
      /** Replays and recordings that it takes to run these steps. */
      const counts = async (indices: readonly number[]): Promise<(number | undefined)[]> => {
        const calls = await countCalls(async () => {
          const found = await runAll(
            world,
            runner,
            indices.map((index) => steps[index]!),
          );
          t.deepEqual(
            found,
            indices.map((index) => wanted[index]!),
          );
        });
        return ['replay', 'endCapture'].map((name) => calls.get(name));
      };
      t.deepEqual(await counts([0, 1, 2, 3, 4]), [undefined, undefined], 'what is met once is not recorded');
      t.deepEqual(await counts([0, 1, 2, 3]), [4, 4]);
      t.deepEqual(await counts([0, 4]), [2, 1], 'a fifth takes the place of the second');
      t.deepEqual(await counts([0, 2, 3, 4]), [4, undefined]);
      t.deepEqual(await counts([1]), [1, 1]);
      runner.dispose();
      world.dispose();
    },
  );

  test.serial(`${device} a replayed step makes few native calls, however many ops it has`, async (t) => {
    const world = createWorld(device);
    const runner = createStepRunner(world, {device, graphs: 'auto'});
    await runAll(world, runner, [many, many]);
    const prepared = world.objectives.prepare(many, 0);
    const calls = await countCalls(() => void runner.run(prepared));
    t.deepEqual(Object.fromEntries(calls), {copyInto: 2, replay: 1});
    prepared.dispose();
    runner.dispose();
    world.dispose();
  });

  test.serial(`${device} a fault of a replayed op surfaces with the name of the op`, async (t) => {
    const world = createWorld(device);
    const runner = createStepRunner(world, {device, graphs: 'auto'});
    await runAll(world, runner, [one, one]);
    const [batch] = one;
    const wrong = {...batch!, tokens: batch!.tokens.with(3, 99)};
    await t.throwsAsync(runAll(world, runner, [[wrong]]), {
      code: 'ERR_INDEX',
      message: 'embedding: token id 99 at position 3 must be below 23',
    });
    t.true((await runAll(world, runner, [one]))[0]!.flat().every(Number.isFinite), 'the next step is sound');
    runner.dispose();
    world.dispose();
  });

  // The forward pass of a layer has one call, the backward pass of the step another for each.
  for (const [where, name] of Object.entries({forward: 'attention', backward: 'attentionBackward'}))
    test.serial(
      `${device} out of memory while recording the ${where} pass: steps run op by op`,
      async (t) => {
        const world = createWorld(device);
        const runner = createStepRunner(world, {device, graphs: 'auto'});
        const wanted = await runAll(world, runner, [many, many]);
        runner.dispose();
        const {allocatedBytes} = memory(device);
        const error = new CrossmapError('ERR_OUT_OF_MEMORY', 'no room');
        await failing({name, call: 3, error}, async () => {
          const calls = await countCalls(async () =>
            t.deepEqual(await runAll(world, runner, [many, many]), wanted),
          );
          t.deepEqual([calls.get('beginCapture'), calls.get('replay')], [1, undefined]);
        });
        t.is(memory(device).allocatedBytes, allocatedBytes, 'nothing of the recording is left');
        world.dispose();
      },
    );
}
