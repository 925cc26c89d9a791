import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {decoderWeights, exportGguf, readGguf} from '../../lib/formats/index.js';
import {exportModel, loadModel} from '../../lib/train/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {collect, smallRun, tinyConfig, writeCorpus} from './tiny-run.js';

test('a run is exported as its decoder is, a file that is there stays unless force is given', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const steps = ['training.steps=2', 'training.checkpointEvery=2', 'training.warmupSteps=1'];
  await collect(tinyConfig(folder, [...smallRun, ...steps]));
  const run = join(folder, 'run');
  const path = join(folder, 'model.gguf');
  const shares: number[] = [];
  const {dtype, notes} = await exportModel(run, path, {
    format: 'gguf',
    dtype: 'float16',
    onProgress: (done) => shares.push(done),
  });
  t.is(dtype, 'float16');
  t.deepEqual(notes, []);
  t.is(shares.at(-1), 1);
  const types = [...(await readGguf(path)).tensors.values()].map(({type, shape}) => [type, shape.length]);
  t.true(types.every(([type, axes]) => type === (axes === 1 ? 'float32' : 'float16')));

  using model = await loadModel(run, {device: 'cpu'});
  const {decoder, tokenizer} = model;
  const content = {shape: decoder.shape, tokenizer, readWeight: decoderWeights(decoder)};
  await exportGguf(join(folder, 'direct', 'model.gguf'), content, {dtype: 'float16'});
  t.deepEqual(await readFile(path), await readFile(join(folder, 'direct', 'model.gguf')));

  await writeFile(path, 'mine');
  await t.throwsAsync(exportModel(run, path, {format: 'gguf'}), {
    code: 'ERR_ARGUMENT',
    message: `${path} is there already; name another file, or replace it with --force`,
  });
  t.is(await readFile(path, 'utf8'), 'mine');
  await exportModel(run, path, {format: 'gguf', force: true});
  t.is((await readGguf(path)).tensors.get('token_embd.weight')?.type, 'float32');

  await mkdir(join(folder, 'taken'));
  await t.throwsAsync(exportModel(run, join(folder, 'taken'), {format: 'gguf', force: true}), {
    code: 'ERR_ARGUMENT',
    message: `${join(folder, 'taken')} is there already; name a file`,
  });
});
