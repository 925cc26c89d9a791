/** Checkpoints: all that a run needs to go on as if it had never stopped, in a folder that appears whole or not at all. */
import {copyFile, readFile, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {z} from 'zod';
import {parseConfig, type Config} from '../config/index.js';
import {CrossmapError} from '../errors.js';
import {
  publishDirectory,
  removePublished,
  writeSafetensors,
  type SafetensorsInput,
} from '../formats/index.js';
import {version} from '../version.js';
import {listCheckpoints} from './checkpoint-list.js';
import {fingerprintOf, hashConfig, type Fingerprint} from './fingerprint.js';
import {readTensorsInto, writeTensors, type NamedTensors, type ReadTensorsOptions} from './tensor-files.js';

/** Files of a checkpoint beside `state.json`, which holds their fingerprints. */
const files = {
  weights: 'model.safetensors',
  optimizer: 'optimizer.safetensors',
  tokenizer: 'tokenizer.json',
  config: 'config.json',
} as const;

const stateSchema = z.object({
  /** Of the format of checkpoints. */
  version: z.literal(1, {error: 'must be 1: the checkpoint comes from another version of crossmap'}),
  /** Version of the package that wrote it. */
  crossmap: z.string(),
  step: z.int().min(0),
  seed: z.int(),
  /** Learning rate of that step: for readers, since the schedule is a function of the step. */
  learningRate: z.number(),
  configHash: z.string(),
  /** Step of the latest evaluation; -1 before the first. */
  lastEvaluation: z.int(),
  /** Of the prepared data: what was held out of it is known to have been held out of this model. */
  dataIdentity: z.string(),
  /** Where the stream of batches stands; its owner checks it. */
  position: z.unknown(),
  files: z.record(z.string(), z.object({bytes: z.int(), sha256: z.string()})),
});

type State = z.output<typeof stateSchema>;

/** What a checkpoint is made from. */
export interface CheckpointContent {
  /** Steps done. */
  readonly step: number;
  readonly config: Config;
  readonly learningRate: number;
  readonly lastEvaluation: number;
  readonly position: unknown;
  readonly dataIdentity: string;
  readonly tokenizerFile: string;
  /** Weights of the model, by their Hugging Face names. */
  readonly weights: NamedTensors;
  /** Moments, float32 masters of half-precision weights, and what is trained beside the model. */
  readonly optimizer: NamedTensors;
}

/** A checkpoint whose files are all there and as they were written. */
export interface Checkpoint {
  readonly path: string;
  readonly step: number;
  readonly config: Config;
  readonly configHash: string;
  readonly lastEvaluation: number;
  readonly dataIdentity: string;
  readonly tokenizerFile: string;
  /** Hands on the position in the data. @throws what `restore` throws, with the path */
  readPosition(restore: (position: unknown) => void): Promise<void>;
  /** The file of the weights, by their Hugging Face names. */
  readonly weightsFile: string;
  /** @throws ERR_CHECKPOINT naming the tensors that do not fit */
  readWeights(into: NamedTensors, options?: ReadTensorsOptions): Promise<void>;
  /** @throws ERR_CHECKPOINT naming the tensors that do not fit */
  readOptimizer(into: NamedTensors): Promise<void>;
}

/**
 * Publishes a checkpoint as `<folder>/step-000100`, then removes all but the newest `keep`.
 *
 * @returns its path
 * @throws ERR_IO, faults of the ops before; the checkpoints that were there then stay
 */
export async function saveCheckpoint(
  folder: string,
  content: CheckpointContent,
  {keep}: {readonly keep: number},
): Promise<string> {
  const path = join(folder, `step-${String(content.step).padStart(6, '0')}`);
  await publishDirectory(path, (temporary) => writeContent(temporary, content));
  const old = (await listCheckpoints(folder)).slice(0, -keep);
  for (const each of old) await removePublished(each.path);
  return path;
}

async function writeContent(folder: string, content: CheckpointContent): Promise<void> {
  const {tokenizerFile, weights, optimizer, config} = content;
  await writeTensors(join(folder, files.weights), weights);
  await writeTensors(join(folder, files.optimizer), optimizer);
  await copyFile(tokenizerFile, join(folder, files.tokenizer));
  await writeFile(join(folder, files.config), `${JSON.stringify(config, null, 2)}\n`);
  await writeState(folder, content, Object.values(files));
}

/** What a checkpoint of a model from elsewhere is made from. */
interface ModelContent {
  readonly config: Config;
  /** Text of a `tokenizer.json`. */
  readonly tokenizerJson: string;
  /** By their Hugging Face names. */
  readonly weights: Iterable<SafetensorsInput>;
}

/**
 * Fills a folder with a checkpoint of a model that was not trained here: step 0, and nothing to go on from but the weights. They are written
 * one after the other.
 *
 * @throws ERR_IO; what the weights throw
 */
export async function writeModel(
  folder: string,
  {config, tokenizerJson, weights}: ModelContent,
): Promise<void> {
  await writeSafetensors(join(folder, files.weights), weights, {format: 'pt'});
  await writeFile(join(folder, files.tokenizer), tokenizerJson);
  await writeFile(join(folder, files.config), `${JSON.stringify(config, null, 2)}\n`);
  const start = {step: 0, learningRate: 0, lastEvaluation: -1, dataIdentity: '', position: null};
  await writeState(folder, {...start, config}, [files.weights, files.tokenizer, files.config]);
}

type StateContent = Pick<
  CheckpointContent,
  'step' | 'config' | 'learningRate' | 'lastEvaluation' | 'dataIdentity' | 'position'
>;

/** Last of all: it has the fingerprints of the other files. */
async function writeState(
  folder: string,
  {step, config, learningRate, lastEvaluation, dataIdentity, position}: StateContent,
  names: readonly string[],
): Promise<void> {
  const fingerprints: [string, Fingerprint][] = [];
  for (const name of names) fingerprints.push([name, await fingerprintOf(join(folder, name))]);
  const state: State = {
    version: 1,
    crossmap: version,
    step,
    seed: config.seed,
    learningRate,
    configHash: hashConfig(config),
    lastEvaluation,
    dataIdentity,
    position,
    files: Object.fromEntries(fingerprints),
  };
  await writeFile(join(folder, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/**
 * Opens a checkpoint and checks that nothing of it is missing or changed.
 *
 * @param options.use `model` asks nothing of the optimizer's file, which a model that is passed on may lack
 * @throws ERR_CHECKPOINT naming the file and what is wrong with it; ERR_IO where a file cannot be read
 */
export async function openCheckpoint(
  path: string,
  {use = 'training'}: {readonly use?: 'training' | 'model'} = {},
): Promise<Checkpoint> {
  const state = await readState(path);
  const needed = Object.values(files).filter((name) => use === 'training' || name !== files.optimizer);
  for (const name of needed) await checkFile(path, name, state.files[name]);
  const config = await readConfig(path);
  return {
    path,
    step: state.step,
    config,
    configHash: state.configHash,
    lastEvaluation: state.lastEvaluation,
    dataIdentity: state.dataIdentity,
    tokenizerFile: join(path, files.tokenizer),
    readPosition: (restore) => inCheckpoint(path, async () => restore(state.position)),
    weightsFile: join(path, files.weights),
    readWeights: (into, reading) =>
      inCheckpoint(path, () => readTensorsInto(join(path, files.weights), into, reading)),
    readOptimizer: (into) => inCheckpoint(path, () => readTensorsInto(join(path, files.optimizer), into)),
  };
}

async function readState(path: string): Promise<State> {
  const text = await readText(path, 'state.json');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, 'state.json is not JSON', cause);
  }
  const result = stateSchema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw damaged(path, `state.json: ${first?.path.join('.') ?? ''} ${first?.message ?? ''}`, result.error);
}

async function readConfig(path: string): Promise<Config> {
  const text = await readText(path, files.config);
  try {
    return parseConfig(text, {file: join(path, files.config), needsText: false});
  } catch (cause) {
    throw damaged(path, `its configuration is refused: ${messageOf(cause)}`, cause);
  }
}

async function readText(path: string, name: string): Promise<string> {
  try {
    return await readFile(join(path, name), 'utf8');
  } catch (cause) {
    throw unreadable(path, name, cause);
  }
}

async function checkFile(path: string, name: string, wanted: Fingerprint | undefined): Promise<void> {
  let found: Fingerprint;
  try {
    found = await fingerprintOf(join(path, name));
  } catch (cause) {
    throw unreadable(path, name, cause);
  }
  if (wanted === undefined) throw damaged(path, `state.json does not speak of ${name}`);
  if (found.bytes !== wanted.bytes)
    throw damaged(path, `${name} has ${found.bytes} bytes, where ${wanted.bytes} were written`);
  if (found.sha256 !== wanted.sha256)
    throw damaged(path, `${name} is not what was written: its hash differs`);
}

async function inCheckpoint<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof CrossmapError) || cause.code === 'ERR_IO') throw cause;
    throw new CrossmapError('ERR_CHECKPOINT', `checkpoint ${path}: ${cause.message}`, {cause});
  }
}

function unreadable(path: string, name: string, cause: unknown): CrossmapError {
  const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  if (isMissing) return damaged(path, `${name} is missing`, cause);
  return new CrossmapError('ERR_IO', `cannot read ${join(path, name)}: ${messageOf(cause)}`, {cause});
}

function damaged(path: string, what: string, cause?: unknown): CrossmapError {
  return new CrossmapError(
    'ERR_CHECKPOINT',
    `checkpoint ${path} cannot be used: ${what}; without the folder ${basename(path)} an earlier checkpoint is taken`,
    {cause},
  );
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
