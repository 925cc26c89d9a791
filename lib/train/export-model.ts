/** A trained model in the formats of other programs. */
import {stat} from 'node:fs/promises';
import {CrossmapError} from '../errors.js';
import {
  convertedPieces,
  exportGguf,
  hfFileNames,
  publishModelFolder,
  readSafetensors,
  writeHfFolder,
} from '../formats/index.js';
import {loadTokenizer, plainTokenizer, readTokenizerJson, type Tokenizer} from '../data/index.js';
import {weightShapes} from '../nn/index.js';
import type {FloatDType} from '../tensor/index.js';
import {openCheckpoint, type Checkpoint} from './checkpoint.js';
import {findCheckpoint} from './checkpoint-list.js';
import {watched, type ModelWorkOptions, type WeightInput} from './model-work.js';

/** How a model is exported. */
export interface ExportOptions extends ModelWorkOptions {
  /** Default `hf`. */
  readonly format?: ExportFormat;
  /** Dtype of the weights; default that of the model. */
  readonly dtype?: FloatDType;
  /** Bytes of the tensors of one file, at most; default 5 GB. A larger tensor has a file of its own. */
  readonly maxShardBytes?: number;
  /** Whether an earlier export is replaced; default false. */
  readonly force?: boolean;
}

/** What an export made. */
export interface ExportedModel {
  /** The checkpoint that was exported. */
  readonly checkpoint: string;
  /** What was written. */
  readonly path: string;
  /** Of the weights that were written; norms may have another. */
  readonly dtype: FloatDType;
  /** What its user should know, as sentences. */
  readonly notes: readonly string[];
}

/** What every format is written from. */
interface ExportSource {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: Tokenizer;
  readonly dtype: FloatDType;
  /** In the order of the decoder's parameters, in `dtype`, norms in that of the format; read piece by piece. */
  readonly weights: readonly WeightInput[];
}

type WriteExport = (
  output: string,
  source: ExportSource,
  options: Required<Pick<ExportOptions, 'maxShardBytes' | 'force'>>,
) => Promise<void>;

interface Format {
  readonly write: WriteExport;
  /** Dtype of norms beside matrices of a dtype. */
  readonly norms: (dtype: FloatDType) => FloatDType;
}

/** A format that models are exported to: a folder for the transformers library, a file for llama.cpp. */
export type ExportFormat = 'hf' | 'gguf';

/** The formats. A further one is a further line. */
const formats: Readonly<Record<ExportFormat, Format>> = {
  hf: {write: writeHf, norms: (dtype) => dtype},
  gguf: {write: writeGguf, norms: () => 'float32'},
};

/** All formats. */
export const exportFormats: readonly ExportFormat[] = Object.keys(formats).filter(isExportFormat);

function isExportFormat(name: string): name is ExportFormat {
  return Object.hasOwn(formats, name);
}

/** As in the transformers library. */
const defaultShardBytes = 5e9;

/**
 * Writes the model of a checkpoint for other programs: `hf` is a folder that the transformers library reads, `gguf` a file that
 * llama.cpp reads. Weights are read and written piece by piece.
 *
 * @param run a checkpoint, or the output folder of a run, whose newest checkpoint is taken
 * @param output where it is written
 * @throws ERR_CHECKPOINT where there is none, or it is damaged; ERR_FORMAT for what the format cannot say; ERR_ARGUMENT for an output that is
 *   there; ERR_DATA for its tokenizer; ERR_IO; ERR_ABORTED. Nothing is left of what was begun.
 */
export async function exportModel(
  run: string,
  output: string,
  options: ExportOptions = {},
): Promise<ExportedModel> {
  const {format = 'hf', maxShardBytes = defaultShardBytes, force = false} = options;
  const checkpoint = await openCheckpoint(await findCheckpoint(run), {use: 'model'});
  const tokenizer = await loadTokenizer(checkpoint.tokenizerFile);
  const dtype = options.dtype ?? checkpoint.config.dtype;
  const shape = {...checkpoint.config.model, vocabSize: tokenizer.vocabSize};
  const stored = await readSafetensors(checkpoint.weightsFile);
  const {write, norms} = formats[format];
  const weights = [...weightShapes(shape)].map(([name, sizes]): WeightInput => {
    const to = sizes.length === 1 ? norms(dtype) : dtype;
    const from = stored.tensors.get(name)?.dtype ?? to;
    return {name, dtype: to, shape: sizes, data: () => convertedPieces(stored.pieces(name), from, to, name)};
  });
  const source = {checkpoint, tokenizer, dtype, weights: watched(weights, options)};
  await write(output, source, {maxShardBytes, force});
  const notes = format === 'hf' ? notesOf(checkpoint) : [];
  return {checkpoint: checkpoint.path, path: output, dtype, notes};
}

async function writeHf(
  output: string,
  {checkpoint, tokenizer, dtype, weights}: ExportSource,
  {maxShardBytes, force}: Required<Pick<ExportOptions, 'maxShardBytes' | 'force'>>,
): Promise<void> {
  const file = checkpoint.tokenizerFile;
  const {json: tokenizerJson, tokens, served} = plainTokenizer(await readTokenizerJson(file), file);
  const {bos, eos, vocabSize} = tokenizer;
  const shape = {...checkpoint.config.model, vocabSize};
  const content = {shape, dtype, bos, eos, tokenizerJson, tokens, served, weights};
  const options = {names: hfFileNames, source: checkpoint.path, force};
  await publishModelFolder(output, options, (temporary) =>
    writeHfFolder(temporary, content, {maxShardBytes}),
  );
}

async function writeGguf(
  output: string,
  {checkpoint, tokenizer, dtype, weights}: ExportSource,
  {force}: Pick<Required<ExportOptions>, 'force'>,
): Promise<void> {
  await refuseTaken(output, force);
  const shape = {...checkpoint.config.model, vocabSize: tokenizer.vocabSize};
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const readWeight = (name: string): AsyncIterable<Uint8Array> => {
    const weight = byName.get(name);
    if (weight !== undefined) return weight.data();
    throw new CrossmapError('ERR_INTERNAL', `the model has no weight ${name}`);
  };
  await exportGguf(output, {shape, tokenizer, readWeight}, {dtype});
}

/** A file is written where there is none, or in place of one where that is wanted. */
async function refuseTaken(path: string, force: boolean): Promise<void> {
  const there = await stat(path).catch(() => undefined); // whatever else is wrong with the path, writing tells
  if (there === undefined || (force && there.isFile())) return;
  const advice = there.isFile() ? 'name another file, or replace it with --force' : 'name a file';
  throw new CrossmapError('ERR_ARGUMENT', `${path} is there already; ${advice}`);
}

/** Where versions of the transformers library do not agree with the model, or among themselves. */
function notesOf({config: {model}}: Checkpoint): string[] {
  const {features, heads, ropeScaling, context} = model;
  const notes: string[] = [];
  if (features % heads !== 0)
    notes.push(
      `transformers 5 refuses a hidden_size (${features}) that is no multiple of num_attention_heads (${heads})`,
    );
  if (ropeScaling?.type === 'yarn' && ropeScaling.factor * ropeScaling.originalContext !== context)
    notes.push(
      `some versions of transformers take max_position_embeddings / original_max_position_embeddings (${context} / ${ropeScaling.originalContext}) for the factor of yarn (${ropeScaling.factor}); set both in config.json alike where they are used`,
    );
  return notes;
}
