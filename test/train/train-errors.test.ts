import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {devices} from '../../lib/tensor/index.js';
import {loadModel, train} from '../../lib/train/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {testDevices} from '../support/ops.js';
import {collect, only, smallRun, tinyConfig, writeCorpus} from './tiny-run.js';

async function corpusFolder(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  return folder;
}

const short = ['training.steps=6', 'evaluation={every: 1000, atStart: false, pairs: 0, samples: 0}'];

for (const device of testDevices) {
  test(`${device} a learning rate far too large stops with step, micro-batch and tensor; the checkpoint before is good`, async (t) => {
    const folder = await corpusFolder(t);
    const config = tinyConfig(folder, [
      ...smallRun,
      `device=${device}`,
      'training={learningRate: 1.0e+6, warmupSteps: 0, checkpointEvery: 1, clipNorm: off, steps: 6, tokensPerBatch: 128, accumulation: 2}',
    ]);
    const error = await t.throwsAsync(collect(config), {code: 'ERR_DIVERGED'});
    t.regex(
      error.message,
      new RegExp(
        [
          '^training diverged at step \\d: the (loss is (NaN|-?Infinity)|gradient norm [\\d.e+]+ exceeds training.explodingNorm \\(10000\\)|gradient norm is (NaN|Infinity))',
          '[\\w.]+ has the (largest gradient norm, [\\d.e+]+|first gradient norm that is not finite)',
          'micro-batch [01] \\(cs, en\\), computed alone, has the (largest gradient norm, [\\d.e+]+|first gradient norm that is not finite)',
          'the step was not applied',
          'the last checkpoint is .*step-00000\\d',
          'try a lower training.learningRate or a longer training.warmupSteps$',
        ].join('; '),
      ),
    );
    using model = await loadModel(config.output, {device});
    t.is(model.step + 1, Number(/at step (\d)/.exec(error.message)![1]));
    for (const {tensor} of model.decoder.parameters) t.true((await tensor.floats()).every(Number.isFinite));
  });

  test(`${device} a gradient norm above explodingNorm stops before anything is applied`, async (t) => {
    const folder = await corpusFolder(t);
    const config = tinyConfig(folder, [
      ...smallRun,
      `device=${device}`,
      'training={steps: 6, tokensPerBatch: 128, clipNorm: 1.0e-4, explodingNorm: 1.0e-3}',
    ]);
    const error = await t.throwsAsync(collect(config), {code: 'ERR_DIVERGED'});
    t.regex(
      error.message,
      /^training diverged at step 1: the gradient norm [\d.]+ exceeds training.explodingNorm \(0.001\); .*there is no checkpoint yet/,
    );
  });
}

test('two trainers in one folder: the second is refused, the first goes on', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder, short);
  let refused: Error | undefined;
  for await (const event of train(config))
    if (event.type === 'start') refused = await t.throwsAsync(collect(config), {code: 'ERR_BUSY'});
  t.true(refused!.message.includes(config.output));
  await t.notThrowsAsync(collect(config));
});

test('a folder without a checkpoint cannot be gone on from', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder, short);
  await t.throwsAsync(collect(config, {resume: 'require'}), {
    code: 'ERR_CHECKPOINT',
    message: `${config.output} has no checkpoint; give the output folder of a run, or one of its checkpoints`,
  });
});

test('a checkpoint of another model says what differs', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder, short);
  await collect(config);
  const other = tinyConfig(folder, [...short, 'model.layers=3', 'dtype=bfloat16']);
  await t.throwsAsync(collect(other), {
    code: 'ERR_CHECKPOINT',
    message:
      `checkpoint ${join(config.output, 'checkpoints', 'step-000006')} does not fit the configuration: ` +
      'dtype is "float32" there and "bfloat16" here; model.layers is 2 there and 3 here; ' +
      'change it back, train afresh, or choose another output',
  });
  await t.throwsAsync(collect(tinyConfig(folder, [...short, 'training.steps=4'])), {
    code: 'ERR_CHECKPOINT',
    message: /it is at step 6, beyond training.steps \(4\)/,
  });
});

test('a checkpoint of other data is refused', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder, short);
  await collect(config);
  await writeFile(join(folder, 'en.txt'), `${await readFile(join(folder, 'en.txt'), 'utf8')}one more line\n`);
  await t.throwsAsync(collect(tinyConfig(folder, [...short, 'training.steps=7'])), {
    code: 'ERR_CHECKPOINT',
    message:
      /^checkpoint .*step-000006: the position in the data cannot be taken up: it belongs to other data/,
  });
});

test('a damaged checkpoint is refused, and without it the one before is taken', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder, short);
  await collect(config);
  const newest = join(config.output, 'checkpoints', 'step-000006');
  await writeFile(join(newest, 'optimizer.safetensors'), 'damaged');
  await t.throwsAsync(collect(config), {
    code: 'ERR_CHECKPOINT',
    message:
      /optimizer.safetensors has 7 bytes, where \d+ were written; without the folder step-000006 an earlier/,
  });
  await rm(newest, {recursive: true});
  t.like((await collect(config))[0], {resumedFrom: 5});
});

test('a device that is not here is refused with those that are, and why', async (t) => {
  const folder = await corpusFolder(t);
  const missing = devices().includes('cuda') ? 'simt' : 'cuda';
  const reason = {
    cuda: 'the addon in use is built without it',
    simt: 'the emulated GPU is for tests: CROSSMAP_DEVICE=simt, or --device simt, takes the addon that has it',
  }[missing];
  await t.throwsAsync(collect(tinyConfig(folder, [`device=${missing}`])), {
    code: 'ERR_DEVICE',
    message: `device ${missing} does not exist here: ${reason}; there is ${devices().join(', ')}`,
  });
});

test('a missing corpus is an error, and the folder is free again', async (t) => {
  const folder = await corpusFolder(t);
  const config = tinyConfig(folder, [...short, 'data.monolingual.0.files=missing.txt']);
  await t.throwsAsync(collect(config), {code: 'ERR_DATA', message: /missing\.txt/});
  t.false((await readdir(config.output)).includes('.lock'));
  t.is(only(await collect(tinyConfig(folder, short)), 'end').length, 1);
});

test('an output that cannot be written to is an error', async (t) => {
  const folder = await corpusFolder(t);
  await writeFile(join(folder, 'run'), 'a file');
  await t.throwsAsync(collect(tinyConfig(folder, short)), {code: 'ERR_IO'});
});
