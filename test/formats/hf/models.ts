/** Small models in folders: as checkpoints of ours, and as files of Hugging Face. */
import {spawnSync} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {parseConfig} from '../../../lib/config/index.js';
import {trainTokenizer} from '../../../lib/data/index.js';
import {
  publishDirectory,
  readSafetensors,
  writeSafetensors,
  type SafetensorsInput,
} from '../../../lib/formats/index.js';
import {noGrad} from '../../../lib/autograd/index.js';
import {decoderInput, type Decoder, type DecoderShape} from '../../../lib/nn/index.js';
import {linear} from '../../../lib/ops/index.js';
import {scope, type FloatDType} from '../../../lib/tensor/index.js';
import {writeModel} from '../../../lib/train/checkpoint.js';
import {exportModel} from '../../../lib/train/index.js';
import {shaken, tiny} from '../../nn/shapes.js';
import {temporaryFolder} from '../folder.js';

const text = ['one house and two trees', 'three birds over the river', 'jeden dům a dva stromy'];

/** A checkpoint whose weights all matter, with a tokenizer for English and Czech. */
export interface SmallModel {
  /** Holds `checkpoint`, and whatever a test puts there. */
  readonly folder: string;
  readonly checkpoint: string;
  readonly decoder: Decoder;
}

/** The decoder is disposed of with the test. */
export async function smallModel(
  t: ExecutionContext,
  change: Partial<DecoderShape> = {},
  dtype: FloatDType = 'float32',
): Promise<SmallModel> {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'tokenizer.json');
  const {vocabSize} = await trainTokenizer(text, {vocabSize: 300, languages: ['en', 'cs'], file});
  const decoder = shaken({device: 'cpu', dtype}, {...tiny, context: 64, ...change, vocabSize});
  t.teardown(() => decoder.dispose());
  const checkpoint = join(folder, 'checkpoint');
  const {vocabSize: _, ...model} = decoder.shape;
  const config = parseConfig(JSON.stringify({dtype, data: {}, model, output: checkpoint}), {
    needsText: false,
  });
  const weights = await Promise.all(
    decoder.parameters.map(async ({name, tensor}) => {
      const {buffer} = await tensor.data();
      return {name, dtype, shape: tensor.shape, data: new Uint8Array(buffer)};
    }),
  );
  const tokenizerJson = await readFile(file, 'utf8');
  await publishDirectory(checkpoint, (temporary) => writeModel(temporary, {config, tokenizerJson, weights}));
  return {folder, checkpoint, decoder};
}

/** A small model as files of Hugging Face, whose members can be changed. */
export async function hfModel(
  t: ExecutionContext,
  change: Partial<DecoderShape> = {},
  options: Parameters<typeof exportModel>[2] = {},
): Promise<SmallModel & {readonly hf: string}> {
  const model = await smallModel(t, change);
  const hf = join(model.folder, 'hf');
  await exportModel(model.checkpoint, hf, options);
  return {...model, hf};
}

/** Members of a JSON file, put in place of those that are there. */
export async function editJson(file: string, members: object): Promise<void> {
  const content = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({...content, ...members}));
}

/** The tensors of a file, put in place of those that are there; `undefined` takes one away. */
export async function editTensors(
  file: string,
  edit: Readonly<Record<string, Omit<SafetensorsInput, 'name'> | undefined>>,
): Promise<void> {
  const {tensors, read} = await readSafetensors(file);
  const inputs = new Map<string, SafetensorsInput>();
  for (const [name, {dtype, shape}] of tensors)
    inputs.set(name, {name, dtype, shape, data: await read(name)});
  for (const [name, input] of Object.entries(edit))
    if (input === undefined) inputs.delete(name);
    else inputs.set(name, {name, ...input});
  await writeSafetensors(file, inputs.values(), {format: 'pt'});
}

/** Logits of one segment. @returns [tokens * vocab] */
export async function logitsOf(decoder: Decoder, tokens: readonly number[]): Promise<Float32Array> {
  const packed = {
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(tokens, (_, position) => position),
    segmentStarts: Int32Array.of(0, tokens.length),
  };
  using logits = noGrad(() =>
    scope(() => linear(decoder.forward(decoderInput(packed, decoder.device)).hidden, decoder.head)),
  );
  return logits.floats();
}

/** A Python with PyTorch; undefined where there is none. */
export const python = [process.env['CROSSMAP_PYTHON'] ?? '', '/usr/bin/python3', 'python3'].find(
  (place) => place !== '' && spawnSync(place, ['-c', 'import torch']).status === 0,
);

/** A folder of Hugging Face files, and what PyTorch is to compute of it. */
export interface TorchJob {
  readonly folder: string;
  readonly dtype: 'float64' | FloatDType;
  readonly tokens: readonly number[];
}

/** Logits that PyTorch computes, all in one process. @returns each [tokens * vocab] */
export async function torchLogits(folder: string, jobs: readonly TorchJob[]): Promise<Float32Array[]> {
  const script = fileURLToPath(new URL('../../../../test/formats/hf/llama.py', import.meta.url)); // from dist
  const outputs = jobs.map((job, i) => ({...job, output: join(folder, `${i}.logits`)}));
  const {stderr, status} = spawnSync(python ?? '', [script], {
    env: {...process.env, PYTHONDONTWRITEBYTECODE: '1'},
    input: JSON.stringify(outputs),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return Promise.all(
    outputs.map(async ({output}) => new Float32Array(new Uint8Array(await readFile(output)).buffer)),
  );
}
