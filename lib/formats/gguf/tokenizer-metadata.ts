/** A byte-level BPE tokenizer as llama.cpp reads it from the metadata of a model. */
import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import {CrossmapError} from '../../errors.js';
import {text, whole, type GgufEntry} from './llama-metadata.js';
import {wordRule} from './words.js';

/** Which tokenizer a model has. Those that `loadTokenizer` opens are. */
export interface GgufTokenizer {
  /** Its `tokenizer.json`. */
  readonly file: string;
  /** Id of the token that starts every segment. */
  readonly bos: number;
  /** Id of the token that ends every segment. */
  readonly eos: number;
}

const id = z.int().min(0);
const none = z.union([z.null(), z.literal('')]).optional();

/** The object as it is: a record would lack names that JavaScript gives a meaning, such as `__proto__`. */
const vocabulary = z.custom<Readonly<Record<string, number>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((each) => id.safeParse(each).success),
  'a map of tokens to ids',
);

const fileSchema = z.looseObject({
  added_tokens: z
    .array(z.looseObject({id, content: z.string(), special: z.boolean().default(true)}))
    .default([]),
  normalizer: z.unknown(),
  pre_tokenizer: z.unknown(),
  model: z.looseObject({
    type: z.literal('BPE').default('BPE'),
    continuing_subword_prefix: none,
    end_of_word_suffix: none,
    byte_fallback: z.literal(false).default(false),
    ignore_merges: z.boolean().default(false),
    vocab: vocabulary,
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

type TokenizerFile = z.output<typeof fileSchema>;

/** llama.cpp leaves text as it is, so a normaliser must be one that leaves text in NFC as it is. */
const normalizer = z.union([z.null(), z.undefined(), z.looseObject({type: z.literal('NFC')})]);

/** How llama.cpp treats a token. `control` is never made of text, unless its user asks for it; `userDefined` always is. */
const tokenTypes = {normal: 1, control: 3, userDefined: 4, unused: 5} as const;

/**
 * The entries of a tokenizer.
 *
 * @param vocabSize rows of the model's embedding: ids without a token become unused ones
 * @throws ERR_DATA where the file cannot be read; ERR_FORMAT where llama.cpp has no words for it, or it has more tokens than the model
 */
export async function tokenizerMetadata(
  {file, bos, eos}: GgufTokenizer,
  vocabSize: number,
): Promise<GgufEntry[]> {
  const content = await readTokenizer(file);
  const {model} = content;
  const rule = wordRule(content.pre_tokenizer, model.ignore_merges);
  if ('fault' in rule) throw refusal(file, rule.fault);
  if (!normalizer.safeParse(content.normalizer).success)
    throw refusal(file, 'has a normalizer, which llama.cpp does not apply; only NFC may be left out');
  const {contents, types} = listTokens(content, {file, vocabSize});
  const merges = model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  return [
    ['tokenizer.ggml.model', text('gpt2')],
    ['tokenizer.ggml.pre', text(rule.name)],
    ['tokenizer.ggml.tokens', {type: 'array', of: 'string', value: contents}],
    ['tokenizer.ggml.token_type', {type: 'array', of: 'int32', value: types}],
    ['tokenizer.ggml.merges', {type: 'array', of: 'string', value: merges}],
    ['tokenizer.ggml.bos_token_id', whole(bos)],
    ['tokenizer.ggml.eos_token_id', whole(eos)],
    ['tokenizer.ggml.add_bos_token', {type: 'bool', value: true}], // as every segment was trained
    ['tokenizer.ggml.add_eos_token', {type: 'bool', value: false}],
  ];
}

async function readTokenizer(file: string): Promise<TokenizerFile> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_DATA', `${file} is no tokenizer.json that can be read: ${reason}`, {cause});
  }
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw refusal(file, `is no byte-level BPE: ${z.prettifyError(parsed.error)}`);
}

interface Tokens {
  /** [vocab] */
  readonly contents: string[];
  readonly types: number[];
}

function listTokens(
  {added_tokens: added, model: {vocab}}: TokenizerFile,
  {file, vocabSize}: {readonly file: string; readonly vocabSize: number},
): Tokens {
  const contents = Array.from({length: vocabSize}, (_, index) => `[UNUSED${index}]`);
  const types = Array.from({length: vocabSize}, (): number => tokenTypes.unused);
  const set = (content: string, index: number, type: number): void => {
    if (index >= vocabSize)
      throw refusal(
        file,
        `has the token ${JSON.stringify(content)} with id ${index}; the model has ${vocabSize} tokens`,
      );
    contents[index] = content;
    types[index] = type;
  };
  for (const [content, index] of Object.entries(vocab)) set(content, index, tokenTypes.normal);
  // The first entry of an id names its token; further ones are other names of it.
  for (const {content, id: index, special} of added.toReversed())
    set(content, index, special ? tokenTypes.control : tokenTypes.userDefined);
  return {contents, types};
}

function refusal(file: string, fault: string): CrossmapError {
  return new CrossmapError(
    'ERR_FORMAT',
    `exportGguf: ${file} ${fault}; crossmap data trains tokenizers that can be exported`,
  );
}
