/** A Hugging Face model becomes a checkpoint that training, evaluation and translation start from. */
import {basename, resolve} from 'node:path';
import {parseConfig, type Config} from '../config/index.js';
import {adaptTokenizer, type AdaptedTokenizer} from '../data/index.js';
import {CrossmapError} from '../errors.js';
import {
  convertedPieces,
  openHfFolder,
  publishModelFolder,
  type HfFolder,
  type SafetensorsDType,
} from '../formats/index.js';
import {weightShapes} from '../nn/index.js';
import {isFloatDType, type FloatDType} from '../tensor/index.js';
import {writeModel} from './checkpoint.js';
import {tableWith, untrainedRows, type RowPlan} from './model-tables.js';
import {sizeOf, watched, type ModelWorkOptions, type WeightInput} from './model-work.js';

/** How a model is imported. */
export interface ImportOptions extends ModelWorkOptions {
  /** Languages that get a control token, beside those that the tokenizer has one for. */
  readonly languages: readonly string[];
  /** Dtype of the weights; default that of most stored ones. */
  readonly dtype?: FloatDType;
  /** Tokens of the longest segment; default what the model says. */
  readonly context?: number;
  /** Whether an earlier import is replaced; default false. */
  readonly force?: boolean;
}

/** What an import made. */
export interface ImportedModel {
  /** The checkpoint. */
  readonly path: string;
  /** Of the checkpoint. A configuration that trains it has the same `model`, `dtype` and `tokenizer.file`. */
  readonly config: Config;
  /** Numbers in all weights. */
  readonly parameterCount: number;
  /** Rows of the embedding, added tokens included. */
  readonly vocabSize: number;
  /** Control tokens by name, each with the token of the model that serves, where it has another name. */
  readonly served: ReadonlyMap<string, string>;
  /** Tokens that were added. */
  readonly addedTokens: number;
  /** Rows that were set to the mean row, for added tokens or reserved ones. */
  readonly freshRows: number;
  /** Rows of the embedding that no token had, which are left out. */
  readonly droppedRows: number;
}

const names = /^(?:model\.safetensors|tokenizer\.json|config\.json|state\.json)$/;

/**
 * Makes a checkpoint of a Hugging Face model of the Llama family. Weights are read and written piece by piece.
 *
 * @param folder with `config.json`, `tokenizer.json` and safetensors files
 * @param output the checkpoint's folder; `training.from` and all commands that take a run take it
 * @throws ERR_FORMAT for a folder that is no such model, is damaged, or computes what crossmap's decoder does not; ERR_DATA for its tokenizer;
 *   ERR_ARGUMENT for a language that cannot have a control token, a context out of range, or an output that is there; ERR_IO; ERR_ABORTED. Nothing is
 *   left of what was begun.
 */
export async function importModel(
  folder: string,
  output: string,
  options: ImportOptions,
): Promise<ImportedModel> {
  const source = await openHfFolder(folder);
  checkWeights(folder, source);
  const tokenizer = adaptTokenizer(source.tokenizer.value, source.tokenizer.path, {
    languages: options.languages,
    bos: source.config.bos,
    eos: source.config.eos,
    served: source.served,
  });
  refuseNoLanguage(source.tokenizer.path, tokenizer);
  const path = resolve(output);
  const dtype = options.dtype ?? commonDType(source);
  const config = configOf(path, source, {...options, dtype});
  const plan = await planRows(source, tokenizer);
  const shape = {...config.model, vocabSize: plan.rows};
  const weights = [...weightShapes(shape)].map(([name, sizes]): WeightInput => ({
    name,
    dtype,
    shape: sizes,
    data: () => weightPieces(name, source, {dtype, plan}),
  }));
  const {force = false} = options;
  await publishModelFolder(path, {force, names, source: folder}, (temporary) =>
    writeModel(temporary, {
      config,
      tokenizerJson: tokenizer.json,
      weights: watched(weights, options),
    }),
  );
  return {
    path,
    config,
    parameterCount: weights.reduce((sum, each) => sum + sizeOf(each.shape), 0),
    vocabSize: plan.rows,
    served: tokenizer.served,
    addedTokens: tokenizer.added.length,
    freshRows: plan.fresh.length,
    droppedRows: Math.max(0, source.config.shape.vocabSize - plan.rows),
  };
}

/** Tensors that files of models have and nobody needs: frequencies, which follow from the configuration, and a head that is tied. */
function isSuperfluous(name: string, {config}: HfFolder): boolean {
  return (
    /^model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq$/.test(name) ||
    (name === 'lm_head.weight' && config.shape.tiedHead)
  );
}

const most = 3;

/** @throws ERR_FORMAT unless the tensors are those of the configuration, of its shapes, all floats */
function checkWeights(folder: string, source: HfFolder): void {
  const {tensors} = source.tensors;
  const wanted = weightShapes(source.config.shape);
  const faults: string[] = [];
  for (const [name, shape] of wanted) {
    const found = tensors.get(name);
    if (found === undefined) faults.push(`${name} is missing`);
    else if (found.shape.join() !== shape.join())
      faults.push(`${name} is [${found.shape.join(', ')}], where config.json makes it [${shape.join(', ')}]`);
    else if (!isFloatDType(found.dtype))
      faults.push(`${name} is ${found.dtype}; float32, bfloat16 or float16 is needed`);
  }
  for (const name of tensors.keys())
    if (!wanted.has(name) && !isSuperfluous(name, source))
      faults.push(
        `${name} has no place in ${name.endsWith('.bias') ? 'a decoder without biases' : 'the model'}`,
      );
  if (faults.length === 0) return;
  const rest = faults.length - most;
  throw new CrossmapError(
    'ERR_FORMAT',
    `the weights of ${folder} are not those of its config.json: ${faults.slice(0, most).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`,
  );
}

function refuseNoLanguage(file: string, {languages}: AdaptedTokenizer): void {
  if (languages.length === 0)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `${file} has no control token of a language; name the languages of the model (--languages en,cs)`,
    );
}

/** The dtype that most elements are stored in. */
function commonDType({tensors: {tensors}}: HfFolder): FloatDType {
  const elements = new Map<SafetensorsDType, number>();
  for (const {dtype, shape} of tensors.values())
    elements.set(dtype, (elements.get(dtype) ?? 0) + sizeOf(shape));
  const [common] = [...elements].sort(([, a], [, b]) => b - a).map(([dtype]) => dtype);
  return common !== undefined && isFloatDType(common) ? common : 'float32';
}

/** A configuration without text. Its batches take the longest segment, as every configuration must. */
function configOf(path: string, {config: {shape}}: HfFolder, {dtype, context: asked}: ImportOptions): Config {
  const {vocabSize, context: longest, ...model} = shape;
  const context = asked ?? longest;
  if (context < 8 || context > longest)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `the context must be 8 to what the model was made for (${longest} tokens); got ${context}`,
    );
  const given = {
    name: basename(path),
    output: path,
    dtype,
    data: {},
    tokenizer: {vocabSize: Math.max(300, vocabSize)},
    model: {...model, context},
    training: {tokensPerBatch: Math.max(4096, context)},
  };
  return parseConfig(JSON.stringify(given), {needsText: false});
}

/** Reserved tokens keep rows that somebody trained; added ones, and those that the model has no row for, get new rows. */
async function planRows(source: HfFolder, tokenizer: AdaptedTokenizer): Promise<RowPlan> {
  const {vocabSize: before} = source.config.shape;
  const {vocabSize: rows, reserved, added, highestWord} = tokenizer;
  if (highestWord >= before)
    throw new CrossmapError(
      'ERR_FORMAT',
      `${source.tokenizer.path} has words up to the id ${highestWord}, where the model has ${before} rows (vocab_size)`,
    );
  const untrained =
    reserved.length === 0 ? [] : await untrainedRows(tableOf('model.embed_tokens.weight', source), reserved);
  const beyond = Array.from({length: Math.max(0, rows - before)}, (_, i) => before + i);
  const fresh = [...new Set([...untrained, ...added, ...beyond])].sort((a, b) => a - b);
  return {rows, fresh};
}

function tableOf(name: string, {config: {shape}, tensors}: HfFolder) {
  const dtype = tensors.tensors.get(name)?.dtype ?? 'float32';
  return {
    name,
    rows: shape.vocabSize,
    features: shape.features,
    dtype: isFloatDType(dtype) ? dtype : 'float32',
    file: tensors,
  };
}

const tables: readonly string[] = ['model.embed_tokens.weight', 'lm_head.weight'];

function weightPieces(
  name: string,
  source: HfFolder,
  {dtype, plan}: {readonly dtype: FloatDType; readonly plan: RowPlan},
): AsyncIterable<Uint8Array> {
  const stored = source.tensors.tensors.get(name)?.dtype ?? dtype;
  const isChanged = plan.fresh.length > 0 || plan.rows !== source.config.shape.vocabSize;
  const pieces =
    tables.includes(name) && isChanged ? tableWith(tableOf(name, source), plan) : source.tensors.pieces(name);
  return convertedPieces(pieces, stored, dtype, name);
}
