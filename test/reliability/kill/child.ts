/**
 * Run as a child that is killed: does the work that the first argument names in the folder of the second, and says `ready` when all
 * modules are there.
 */
import {writeSync} from 'node:fs';
import {join} from 'node:path';
import {exportModel} from '../../../lib/train/index.js';
import {writeSafetensors} from '../../../lib/formats/index.js';
import {prepareData} from '../../../lib/data/index.js';
import {collect} from '../../train/tiny-run.js';
import {runConfig} from './run-config.js';

const [, , work = '', folder = ''] = process.argv;

/** A file of tensors that all hold the number of its version, published again and again. */
async function publishForever(): Promise<void> {
  for (let version = 1; ; version++) {
    const data = new Float32Array(50_000).fill(version);
    const tensors = ['a', 'b', 'c'].map((name) => ({
      name,
      dtype: 'float32' as const,
      shape: [data.length],
      data: new Uint8Array(data.buffer),
    }));
    await writeSafetensors(join(folder, 'weights.safetensors'), tensors);
  }
}

/** A model, as a folder and as a file, over those that are there, again and again. */
async function exportForever(): Promise<void> {
  const run = join(folder, 'run');
  for (;;) {
    await exportModel(run, join(folder, 'exported', 'model'), {force: true});
    await exportModel(run, join(folder, 'exported', 'model.gguf'), {format: 'gguf', force: true});
  }
}

const works: Readonly<Record<string, () => Promise<unknown>>> = {
  train: () => collect(runConfig(folder)),
  data: () => prepareData(runConfig(folder)),
  files: publishForever,
  export: exportForever,
};

writeSync(1, 'ready\n');
await works[work]?.();
