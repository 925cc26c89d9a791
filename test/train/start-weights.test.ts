import {appendFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {temporaryFolder} from '../formats/folder.js';
import {collect, only, tinyConfig, writeCorpus} from './tiny-run.js';

const short = ['training.steps=4', 'evaluation.pairs=0', 'evaluation.samples=0'];

for (const dtype of ['float32', 'bfloat16'])
  test(`a run starts from the weights of another, with other objectives: ${dtype}`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeCorpus(folder);
    const set = [...short, `dtype=${dtype}`];
    const first = await collect(tinyConfig(folder, [...set, 'objectives.recipe=mono'], 'first'));
    const further = [
      `training.from=${join(folder, 'first')}`,
      'training.learningRate=1e-9',
      'objectives.recipe=full',
    ];
    const second = await collect(tinyConfig(folder, [...set, ...further], 'second'));
    t.like(second[0], {type: 'start', resumedFrom: 0});
    t.deepEqual(only(second, 'warning'), []);
    const [end] = only(first, 'evaluation').slice(-1);
    const evaluations = only(second, 'evaluation');
    t.deepEqual(evaluations[0]?.perplexity, end?.perplexity);
    // Steps too small to change anything: masters that were not those of the weights would show.
    const bits = evaluations.map(({perplexity}) => perplexity.map(({bitsPerByte}) => bitsPerByte));
    for (const [index, value] of bits.at(-1)!.entries()) t.true(Math.abs(value - bits[0]![index]!) < 1e-3);
    // A checkpoint of its own comes before the weights that it started from.
    const third = await collect(tinyConfig(folder, [...set, ...further, 'training.steps=5'], 'second'));
    t.like(third[0], {resumedFrom: 4});
  });

test('weights that do not fit are refused, and other data is told', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  await collect(tinyConfig(folder, short, 'first'));
  const from = `training.from=${join(folder, 'first')}`;
  const start = (set: readonly string[]) => collect(tinyConfig(folder, [...short, ...set], 'second'));
  await t.throwsAsync(start([`training.from=${join(folder, 'nowhere')}`]), {
    code: 'ERR_CHECKPOINT',
    message: /nowhere does not exist; give the output folder of a run, or one of its checkpoints/,
  });
  await t.throwsAsync(start([from, 'tokenizer.vocabSize=310']), {
    code: 'ERR_CHECKPOINT',
    message:
      /^training\.from: .*step-000004 has another tokenizer than the data; set tokenizer\.file to .*tokenizer\.json$/,
  });
  await t.throwsAsync(start([from, 'model.layers=3']), {
    code: 'ERR_CHECKPOINT',
    message: /step-000004: .*layers\.2/,
  });
  await appendFile(join(folder, 'en.txt'), 'one more line\n');
  const tokenizer = join(folder, 'first', 'checkpoints', 'step-000004', 'tokenizer.json');
  const events = await start([from, `tokenizer.file=${tokenizer}`]);
  t.regex(
    only(events, 'warning')
      .map(({message}) => message)
      .join('\n'),
    /were trained on other data/,
  );
});

test('weights of another dtype are converted, and options that no shape tells are warned of', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  await collect(tinyConfig(folder, [...short, 'dtype=bfloat16'], 'first'));
  const from = `training.from=${join(folder, 'first')}`;
  const other = ['training.learningRate=1e-9', 'model.ropeTheta=500', 'model.heads=1', 'model.headDim=16'];
  const wide = ['model.heads=2', 'model.ropeTheta=500'];
  const events = await collect(tinyConfig(folder, [...short, from, other[0]!, ...wide], 'second'));
  t.deepEqual(
    only(events, 'warning').map(({message}) => message),
    ['model.ropeTheta is 500, where the weights of training.from were trained with 10000'],
  );
  await t.throwsAsync(collect(tinyConfig(folder, [...short, from, ...other], 'third')), {
    code: 'ERR_CHECKPOINT',
    message: /q_proj\.weight is bfloat16 \[32, 32\], where the model has float32 \[16, 32\]/,
  });
});
