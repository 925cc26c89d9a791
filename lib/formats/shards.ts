/** Weights in one safetensors file or in several, with an index that says which tensor is in which. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {CrossmapError} from '../errors.js';
import {publishFile} from './atomic.js';
import {fileOf, readJson} from './model-file.js';
import {
  readSafetensors,
  writeSafetensors,
  type SafetensorsFile,
  type SafetensorsInfo,
  type SafetensorsInput,
} from './safetensors.js';
import {tensorBytes} from './safetensors-header.js';

/** Tensors of a folder, whichever file has them. */
export type StoredTensors = Pick<SafetensorsFile, 'tensors' | 'read' | 'pieces'>;

const singleName = 'model.safetensors';
const indexName = 'model.safetensors.index.json';

/** An index has one short line for each tensor. */
const indexLimits = {bytes: 100_000_000, depth: 3};

/**
 * Opens `model.safetensors`, or the files of `model.safetensors.index.json` where there is no such file. Headers are read and checked,
 * tensors when they are asked for.
 *
 * @throws ERR_FORMAT where there is neither; for files that are not what their format says; for an index that names files outside of the
 *   folder, or tensors that are not where it says; for tensors that several files have; ERR_IO
 */
export async function openTensors(folder: string): Promise<StoredTensors> {
  const single = await fileOf(folder, singleName);
  if (single !== undefined) return readSafetensors(single);
  const index = await readJson(folder, indexName, indexLimits);
  if (index === undefined)
    throw new CrossmapError(
      'ERR_FORMAT',
      `${folder} has neither ${singleName} nor ${indexName}; other files of weights (pytorch_model.bin) are not read`,
    );
  return openShards(folder, index.path, weightMap(index.value, index.path));
}

/** The name of the file that has each tensor. */
function weightMap(value: object, path: string): ReadonlyMap<string, string> {
  const map: unknown = Object.entries(value).find(([name]) => name === 'weight_map')?.[1];
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new CrossmapError('ERR_FORMAT', `${path} has no weight_map`);
  const files = new Map<string, string>();
  for (const [name, file] of Object.entries<unknown>({...map})) {
    if (typeof file !== 'string' || !file.endsWith('.safetensors'))
      throw new CrossmapError(
        'ERR_FORMAT',
        `${path} gives ${JSON.stringify(name)} the file ${JSON.stringify(file)}; the name of a .safetensors file is needed`,
      );
    files.set(name, file);
  }
  if (files.size === 0) throw new CrossmapError('ERR_FORMAT', `${path} names no tensor`);
  return files;
}

async function openShards(
  folder: string,
  index: string,
  weights: ReadonlyMap<string, string>,
): Promise<StoredTensors> {
  const owners = new Map<string, SafetensorsFile>();
  const tensors = new Map<string, SafetensorsInfo>();
  for (const name of new Set(weights.values())) {
    const path = await fileOf(folder, name);
    if (path === undefined)
      throw new CrossmapError('ERR_FORMAT', `${index} names ${name}, which is not there`);
    const shard = await readSafetensors(path);
    for (const [tensor, info] of shard.tensors) {
      if (weights.get(tensor) !== name) throw misplaced(index, tensor, name, weights.get(tensor));
      owners.set(tensor, shard);
      tensors.set(tensor, info);
    }
  }
  for (const [tensor, name] of weights)
    if (!owners.has(tensor))
      throw new CrossmapError(
        'ERR_FORMAT',
        `${index} says that ${name} has ${JSON.stringify(tensor)}, which it has not`,
      );
  const ownerOf = (name: string): SafetensorsFile => {
    const owner = owners.get(name);
    if (owner !== undefined) return owner;
    throw new CrossmapError('ERR_ARGUMENT', `${index} has no tensor ${JSON.stringify(name)}`);
  };
  return {
    tensors,
    read: async (name) => ownerOf(name).read(name),
    pieces: (name, pieceBytes) => ownerOf(name).pieces(name, pieceBytes),
  };
}

function misplaced(index: string, tensor: string, file: string, named: string | undefined): CrossmapError {
  const there = named === undefined ? 'knows nothing of it' : `says that ${named} has it`;
  return new CrossmapError('ERR_FORMAT', `${file} has ${JSON.stringify(tensor)}; ${index} ${there}`);
}

/** How tensors are shared out among files. */
export interface TensorFilesOptions {
  /** Bytes of the tensors of one file, at most; a larger tensor has a file of its own. */
  readonly maxShardBytes: number;
}

/**
 * Writes tensors, in their order, as `model.safetensors`, or as `model-00001-of-0000N.safetensors` and an index where they exceed one file.
 * No more than one tensor is in memory, or a piece of it.
 *
 * @throws as `writeSafetensors`
 */
export async function writeTensorFiles(
  folder: string,
  inputs: Iterable<SafetensorsInput>,
  {maxShardBytes}: TensorFilesOptions,
): Promise<void> {
  const shards = inShards(inputs, maxShardBytes);
  const metadata = {format: 'pt'};
  if (shards.length <= 1) {
    await writeSafetensors(join(folder, singleName), shards.flat(), metadata);
    return;
  }
  const map: Record<string, string> = {};
  for (const [index, shard] of shards.entries()) {
    const name = `model-${numberText(index + 1)}-of-${numberText(shards.length)}.safetensors`;
    await writeSafetensors(join(folder, name), shard, metadata);
    for (const input of shard) map[input.name] = name;
  }
  const total = shards.flat().reduce((sum, {dtype, shape}) => sum + tensorBytes(dtype, shape), 0);
  const json = `${JSON.stringify({metadata: {total_size: total}, weight_map: map}, null, 2)}\n`;
  await publishFile(join(folder, indexName), (temporary) => writeFile(temporary, json));
}

/** As many tensors together as fit. */
function inShards(inputs: Iterable<SafetensorsInput>, most: number): SafetensorsInput[][] {
  const shards: SafetensorsInput[][] = [];
  let open: SafetensorsInput[] = [];
  let room = 0;
  for (const input of inputs) {
    const bytes = tensorBytes(input.dtype, input.shape);
    if (open.length === 0 || bytes > room) {
      open = [];
      shards.push(open);
      room = most;
    }
    open.push(input);
    room -= bytes;
  }
  return shards;
}

function numberText(number: number): string {
  return String(number).padStart(5, '0');
}
