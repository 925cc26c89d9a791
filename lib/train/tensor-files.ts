/** Tensors by name, to and from safetensors files. */
import {basename} from 'node:path';
import {CrossmapError} from '../errors.js';
import {converted, readSafetensors, writeSafetensors, type SafetensorsFile} from '../formats/index.js';
import {isFloatDType, tensor, type DType, type Elements, type Tensor} from '../tensor/index.js';

/** Tensors by the names that files give them. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** Most differences that an error lists. */
const told = 3;

/**
 * Writes tensors, one after the other in memory.
 *
 * @throws ERR_IO; faults of the ops before
 */
export async function writeTensors(path: string, tensors: NamedTensors): Promise<void> {
  const inputs = [...tensors].map(([name, {dtype, shape}]) => ({
    name,
    dtype,
    shape,
    data: async () => bytesOf(await (tensors.get(name)?.data() ?? new Uint8Array())),
  }));
  await writeSafetensors(path, inputs, {format: 'pt'});
}

/** How a file is read into tensors. */
export interface ReadTensorsOptions {
  /** Whether floats of another dtype are converted, rounding to nearest; default: they are refused. */
  readonly converts?: boolean;
}

/**
 * Reads a file into tensors that are there, which must be exactly those of the file; one after the other in memory.
 *
 * @throws ERR_CHECKPOINT where tensors are missing, left over or of another shape or dtype, with their names; ERR_FORMAT, ERR_IO
 */
export async function readTensorsInto(
  path: string,
  targets: NamedTensors,
  {converts = false}: ReadTensorsOptions = {},
): Promise<void> {
  const file = await readSafetensors(path);
  refuseDifferences(path, file, targets, converts);
  for (const [name, target] of targets) {
    const stored = file.tensors.get(name)?.dtype ?? target.dtype;
    const bytes = await file.read(name);
    const elements =
      isFloatDType(target.dtype) && isFloatDType(stored)
        ? await converted(bytes, stored, target.dtype, name)
        : bytes;
    const read = tensor(elementsOf(elements, target.dtype), {
      shape: target.shape,
      dtype: target.dtype,
      device: target.device,
    });
    target.copyFrom(read);
    read.dispose();
  }
}

function refuseDifferences(
  path: string,
  {tensors}: SafetensorsFile,
  targets: NamedTensors,
  converts: boolean,
): void {
  const differences: string[] = [];
  for (const [name, {dtype, shape}] of targets) {
    const found = tensors.get(name);
    if (converts && found && isFloatDType(found.dtype) && isFloatDType(dtype))
      if (found.shape.join() === shape.join()) continue;
    const wanted = `${dtype} [${shape.join(', ')}]`;
    const got = found && `${found.dtype} [${found.shape.join(', ')}]`;
    if (got === undefined) differences.push(`${name} is missing`);
    else if (got !== wanted) differences.push(`${name} is ${got}, where the model has ${wanted}`);
  }
  for (const name of tensors.keys())
    if (!targets.has(name)) differences.push(`${name} has no place in the model`);
  if (differences.length === 0) return;
  const rest = differences.length - told;
  throw new CrossmapError(
    'ERR_CHECKPOINT',
    `${basename(path)} does not fit the model: ${differences.slice(0, told).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`,
  );
}

function bytesOf({buffer, byteOffset, byteLength}: Elements): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The bytes as elements; `file.read` gives memory that starts where any element may. */
function elementsOf({buffer}: Uint8Array<ArrayBuffer>, dtype: DType): Elements {
  return views[dtype](buffer);
}

const views: Readonly<Record<DType, (buffer: ArrayBuffer) => Elements>> = {
  float32: (buffer) => new Float32Array(buffer),
  bfloat16: (buffer) => new Uint16Array(buffer),
  float16: (buffer) => new Uint16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
};
