/** A model as the libraries of Hugging Face keep it: configuration, weights and tokenizer in a folder. */
import {stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {CrossmapError} from '../../errors.js';
import type {DecoderShape} from '../../nn/index.js';
import {readJson, type JsonFile} from '../model-file.js';
import type {SafetensorsInput} from '../safetensors.js';
import {openTensors, writeTensorFiles, type StoredTensors, type TensorFilesOptions} from '../shards.js';
import {hfConfig, parseHfConfig, type HfConfig} from './config.js';
import {refuser} from './refuse.js';

const names = {
  config: 'config.json',
  generation: 'generation_config.json',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
} as const;

/** Names of the files that `writeHfFolder` writes. */
export const hfFileNames =
  /^(?:config|generation_config|tokenizer|tokenizer_config|model\.safetensors\.index)\.json$|^model(?:-\d{5}-of-\d{5})?\.safetensors$/;

/** More than the largest files of their kind have. */
const limits = {
  config: {bytes: 1_000_000, depth: 16},
  tokenizer: {bytes: 200_000_000, depth: 32},
};

/** A folder whose files have been read, but for the weights themselves. */
export interface HfFolder {
  /** What `config.json` says. */
  readonly config: HfConfig;
  /** The weights, by their names in the files. */
  readonly tensors: StoredTensors;
  /** `tokenizer.json`. */
  readonly tokenizer: JsonFile;
  /** Control tokens that the model was trained with by crossmap, by name, each with the content of the token that served. */
  readonly served: Readonly<Record<string, string>>;
}

/** What of `tokenizer_config.json` is read; the transformers library keeps members that it does not know. */
const tokenizerConfigSchema = z.looseObject({
  crossmap_control_tokens: z.record(z.string(), z.string()).default({}),
});

/**
 * Opens the folder of a model of the Llama family. Nothing outside of it is read.
 *
 * @throws ERR_FORMAT for what is missing or not what its format says, for other models, and for what crossmap's decoder does not compute; ERR_IO
 */
export async function openHfFolder(folder: string): Promise<HfFolder> {
  await refuseMissingFolder(folder);
  const config = await readJson(folder, names.config, limits.config);
  if (config === undefined)
    throw new CrossmapError(
      'ERR_FORMAT',
      `${folder} has no ${names.config}; the folder of a Hugging Face model is needed`,
    );
  const parsed = parseHfConfig(config);
  const tokenizer = await readJson(folder, names.tokenizer, limits.tokenizer);
  if (tokenizer === undefined)
    throw new CrossmapError(
      'ERR_FORMAT',
      `${folder} has no ${names.tokenizer}; where it has a tokenizer.model, AutoTokenizer.from_pretrained(...).save_pretrained(...) of the transformers library makes one of it`,
    );
  const extra = await readJson(folder, names.tokenizerConfig, limits.config);
  return {
    config: parsed,
    tensors: await openTensors(folder),
    tokenizer,
    served: extra === undefined ? {} : servedOf(extra),
  };
}

async function refuseMissingFolder(folder: string): Promise<void> {
  const known = await stat(folder).catch(() => undefined);
  if (known?.isDirectory() !== true)
    throw new CrossmapError(
      'ERR_FORMAT',
      `${folder} ${known === undefined ? 'does not exist' : 'is no folder'}; the folder of a Hugging Face model is needed`,
    );
}

function servedOf({path, value}: JsonFile): Readonly<Record<string, string>> {
  const result = tokenizerConfigSchema.safeParse(value);
  if (result.success) return result.data.crossmap_control_tokens;
  return refuser(path)('has crossmap_control_tokens that are not names of tokens');
}

/** What a folder is made from. */
export interface HfContent {
  /** Section `model` of the configuration, and the size of the vocabulary. */
  readonly shape: DecoderShape;
  /** Dtype of the weights. */
  readonly dtype: string;
  /** Id of the token that starts a text. */
  readonly bos: number;
  /** Id of the token that ends a text. */
  readonly eos: number;
  /** Text of a `tokenizer.json`, each id with one token. */
  readonly tokenizerJson: string;
  /** Content of the tokens that are no text, by id. */
  readonly tokens: ReadonlyMap<number, string>;
  /** Of `HfFolder`. */
  readonly served: ReadonlyMap<string, string>;
  /** In the order of the files. */
  readonly weights: Iterable<SafetensorsInput>;
}

/**
 * Fills a folder with the files that the transformers library reads. One tensor is in memory at a time.
 *
 * @throws ERR_FORMAT for a window on some layers alone; ERR_IO; what the weights throw
 */
export async function writeHfFolder(
  folder: string,
  content: HfContent,
  options: TensorFilesOptions,
): Promise<void> {
  const {shape, bos, eos, weights} = content;
  const write = (name: string, json: string): Promise<void> => writeFile(join(folder, name), json);
  const config = hfConfig(shape, content, refuser('the model'));
  await write(names.config, withFloats(`${JSON.stringify(config, null, 2)}\n`));
  await write(
    names.generation,
    `${JSON.stringify({_from_model_config: true, bos_token_id: bos, eos_token_id: eos}, null, 2)}\n`,
  );
  await write(names.tokenizer, content.tokenizerJson);
  await write(names.tokenizerConfig, `${JSON.stringify(tokenizerConfig(content), null, 2)}\n`);
  await writeTensorFiles(folder, weights, options);
}

/** Python tells 8 from 8.0, and the transformers library warns of factors that are no floats. */
function withFloats(json: string): string {
  return json.replaceAll(
    /"(?:rope_theta|factor|low_freq_factor|high_freq_factor|beta_fast|beta_slow|attention_factor|attention_dropout)": \d+(?=[,\n])/g,
    '$&.0',
  );
}

function tokenizerConfig({shape, bos, eos, tokens, served}: HfContent): object {
  const others = [...tokens].flatMap(([id, content]) => (id === bos || id === eos ? [] : [content]));
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: tokens.get(bos),
    eos_token: tokens.get(eos),
    additional_special_tokens: others,
    clean_up_tokenization_spaces: false,
    model_max_length: shape.context,
    ...(served.size > 0 && {crossmap_control_tokens: Object.fromEntries(served)}),
  };
}
