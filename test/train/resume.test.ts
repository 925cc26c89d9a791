import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {temporaryFolder} from '../formats/folder.js';
import {collect, only, tinyConfig, writeCorpus} from './tiny-run.js';

/** What the last checkpoint holds of weights and optimizer, byte for byte. */
async function lastBytes(output: string): Promise<readonly Buffer[]> {
  const folder = join(output, 'checkpoints', 'step-000012');
  return Promise.all(
    ['model.safetensors', 'optimizer.safetensors'].map((name) => readFile(join(folder, name))),
  );
}

async function compareWithUninterrupted(t: ExecutionContext, set: readonly string[]): Promise<void> {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const whole = await collect(tinyConfig(folder, set, 'whole'));
  const config = tinyConfig(folder, set, 'parts');
  // Stopped without a word two steps after a checkpoint, then by a signal, then to the end.
  await collect(config, {}, (event) => event.type === 'step' && event.step === 7);
  const controller = new AbortController();
  const middle = await collect(config, {signal: controller.signal}, (event) => {
    if (event.type === 'step' && event.step === 8) controller.abort();
    return false;
  });
  const last = await collect(config, {resume: 'require'});
  t.like(middle[0], {resumedFrom: 5});
  t.like(last[0], {resumedFrom: 8});
  const losses = only([...middle, ...last], 'step').map(({step, loss, losses: each}) => ({step, loss, each}));
  const wanted = only(whole, 'step').map(({step, loss, losses: each}) => ({step, loss, each}));
  t.deepEqual(losses, wanted.slice(5));
  const evaluation = only(last, 'evaluation').at(-1)!;
  t.deepEqual({...evaluation, seconds: 0}, {...only(whole, 'evaluation').at(-1)!, seconds: 0});
  const [bytes, wantedBytes] = [await lastBytes(config.output), await lastBytes(join(folder, 'whole'))];
  for (const [index, each] of bytes.entries()) t.true(each.equals(wantedBytes[index]!));
}

for (const [title, set] of [
  ['float32', []],
  ['bfloat16', ['dtype=bfloat16']],
  [
    'a learnt temperature, GradCache and activation checkpointing',
    [
      'objectives.contrastive={learnableTemperature: true, negatives: step, weight: 1}',
      'training.activationCheckpointing=true',
    ],
  ],
] as const)
  test(`a run in parts is the whole run bit for bit: ${title}`, (t) => compareWithUninterrupted(t, set));

test('another run of the same configuration is the same bit for bit, another seed is not', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const set = ['training.steps=3', 'evaluation.atStart=false'];
  const losses = async (output: string, more: readonly string[]): Promise<number[]> =>
    only(await collect(tinyConfig(folder, [...set, ...more], output)), 'step').map(({loss}) => loss);
  const first = await losses('a', []);
  t.deepEqual(await losses('b', ['threads=1']), first);
  t.notDeepEqual(await losses('c', ['seed=2']), first);
});
