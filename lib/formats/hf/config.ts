/** `config.json` of a Hugging Face model of the Llama family: what of it decides how the model computes. */
import {z} from 'zod';
import type {DecoderShape} from '../../nn/index.js';
import type {JsonFile} from '../model-file.js';
import {refuser, type Refuse} from './refuse.js';
import {ropeMembers, ropeMembersOf, ropeOf} from './rope.js';

/** What a `config.json` says of a model. */
export interface HfConfig {
  /** `vocabSize` is the number of rows of the embedding, which may have more than the tokenizer. */
  readonly shape: DecoderShape;
  /** Token that starts a text. */
  readonly bos?: number;
  /** Token that ends a text: the first, where there are several. */
  readonly eos?: number;
}

/** The architectures that compute as crossmap's decoder does, with what the transformers library takes where nothing is said. */
const families = {
  llama: {architecture: 'LlamaForCausalLM', context: 2048, kvHeads: undefined, window: undefined},
  mistral: {architecture: 'MistralForCausalLM', context: 131072, kvHeads: 8, window: 4096},
} as const;

type Family = keyof typeof families;

const size = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const id = z.int().min(0);

/** A file that boasts of millions of layers has no weights for them: no list of them is made. */
const mostLayers = 10_000;

const off = z.literal(false).nullish();
const absent = z.null().optional();

const schema = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: z.int().min(1).max(mostLayers),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  vocab_size: size,
  max_position_embeddings: size.nullish(),
  rms_norm_eps: z.number().gt(0).default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  sliding_window: size.nullish(),
  layer_types: z.array(z.string()).nullish(),
  bos_token_id: id.nullish(),
  eos_token_id: z.union([id, z.array(id)]).nullish(),
  hidden_act: z.literal(['silu', 'swish']).default('silu'),
  attention_bias: off,
  mlp_bias: off,
  partial_rotary_factor: z.literal(1).nullish(),
  quantization_config: absent,
  compression_config: absent,
  ...ropeMembers,
});

type Members = z.output<typeof schema>;

/** What a member that crossmap cannot do would take. */
const reasons: Readonly<Record<string, string>> = {
  attention_bias: 'crossmap has no biases',
  mlp_bias: 'crossmap has no biases',
  hidden_act: 'crossmap computes SwiGLU, whose activation is silu',
  partial_rotary_factor: 'crossmap turns all features of a head',
  quantization_config: 'quantised weights are not read; take the model as it was before',
  compression_config: 'compressed weights are not read; take the model as it was before',
};

/**
 * Reads what a `config.json` says.
 *
 * @throws ERR_FORMAT for another architecture, and for what crossmap's decoder does not compute: biases, other activations or scalings of the
 *   rotary embedding, quantised weights; naming the member
 */
export function parseHfConfig({path, value}: JsonFile): HfConfig {
  const refuse = refuser(path);
  const family = familyOf(value, refuse);
  const result = schema.safeParse(value);
  if (!result.success) return refuse(describeIssue(result.error));
  const members = result.data;
  const [eos] = [members.eos_token_id ?? []].flat();
  return {
    shape: shapeOf(members, family, refuse),
    ...(typeof members.bos_token_id === 'number' && {bos: members.bos_token_id}),
    ...(eos !== undefined && {eos}),
  };
}

/** Before all else: a model of another kind lacks members for good reasons. */
function familyOf(value: object, refuse: Refuse): Family {
  const kind = z
    .looseObject({model_type: z.string(), architectures: z.array(z.string()).nullish()})
    .safeParse(value);
  const known = Object.values(families).map(({architecture}) => architecture);
  const only = `crossmap reads ${known.join(' and ')}`;
  if (!kind.success) return refuse(`does not say which model it is (model_type); ${only}`);
  const {model_type: type, architectures} = kind.data;
  if (!isFamily(type)) return refuse(`is of a model of type ${JSON.stringify(type)}; ${only}`);
  const other = architectures?.find((architecture) => architecture !== families[type].architecture);
  if (other !== undefined) return refuse(`is of the architecture ${JSON.stringify(other)}; ${only}`);
  return type;
}

function isFamily(type: string): type is Family {
  return Object.hasOwn(families, type);
}

function describeIssue({issues: [issue]}: z.ZodError): string {
  if (issue === undefined) return 'is not what it should be';
  const name = issue.path.join('.');
  const reason = reasons[String(issue.path[0])];
  return `has no proper ${name}: ${issue.message}${reason === undefined ? '' : `; ${reason}`}`;
}

function shapeOf(members: Members, family: Family, refuse: Refuse): DecoderShape {
  const {hidden_size: features, num_attention_heads: heads, num_hidden_layers: layers} = members;
  const defaults = families[family];
  const kvHeads = members.num_key_value_heads ?? defaults.kvHeads ?? heads;
  const headDim = members.head_dim ?? features / heads;
  const context = members.max_position_embeddings ?? defaults.context;
  checkHeads({heads, kvHeads, headDim}, refuse);
  const window = windowOf(members, family, refuse);
  return {
    layers,
    features,
    heads,
    kvHeads,
    headDim,
    hiddenFeatures: members.intermediate_size,
    context,
    ...ropeOf(members, context, refuse),
    tiedHead: members.tie_word_embeddings,
    normEps: members.rms_norm_eps,
    ...(window !== undefined && {slidingWindow: {size: window, layers: numbersTo(layers)}}),
    vocabSize: members.vocab_size,
  };
}

function checkHeads(
  {heads, kvHeads, headDim}: Pick<DecoderShape, 'heads' | 'kvHeads' | 'headDim'>,
  refuse: Refuse,
): void {
  if (heads % kvHeads !== 0)
    refuse(`has ${kvHeads} num_key_value_heads, which do not divide num_attention_heads (${heads})`);
  if (!Number.isInteger(headDim))
    refuse('has a hidden_size that is no multiple of num_attention_heads, and no head_dim');
  if (headDim % 2 !== 0 || headDim > 256)
    refuse(`has heads of ${headDim} features; crossmap takes an even number, 256 at most`);
}

/** Tokens that a query sees, itself included: in the transformers library as in crossmap. Llama has no window, whatever the file says. */
function windowOf({sliding_window: given, layer_types: types}: Members, family: Family, refuse: Refuse) {
  if (family === 'llama') return undefined;
  const kind = given === null ? 'full_attention' : 'sliding_attention';
  const other = types?.find((type) => type !== kind);
  if (other !== undefined)
    refuse(`has layer_types of more than one kind, or another than its sliding_window`);
  return given === null ? undefined : (given ?? families[family].window);
}

/** 1 to `last`. */
function numbersTo(last: number): number[] {
  return Array.from({length: last}, (_, index) => index + 1);
}

/** What of a model beside its shape stands in `config.json`. */
interface HfTokens {
  readonly bos: number;
  readonly eos: number;
  /** Of the stored weights. */
  readonly dtype: string;
}

/**
 * The `config.json` of a model. With a window on all layers it is a Mistral, without one a Llama.
 *
 * @throws ERR_FORMAT, through `refuse`, for a window on some layers alone
 */
export function hfConfig(shape: DecoderShape, {bos, eos, dtype}: HfTokens, refuse: Refuse): object {
  const window = shape.slidingWindow;
  if (window && window.layers.length < shape.layers)
    refuse(
      'has a sliding window on some layers alone (model.slidingWindow.layers), which neither Llama nor Mistral has',
    );
  const type: Family = window === undefined ? 'llama' : 'mistral';
  return {
    architectures: [families[type].architecture],
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: bos,
    eos_token_id: eos,
    head_dim: shape.headDim,
    hidden_act: 'silu',
    hidden_size: shape.features,
    initializer_range: 0.02,
    intermediate_size: shape.hiddenFeatures,
    max_position_embeddings: shape.context,
    mlp_bias: false,
    model_type: type,
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    num_key_value_heads: shape.kvHeads,
    rms_norm_eps: shape.normEps,
    ...ropeMembersOf(shape),
    ...(window && {sliding_window: window.size}),
    tie_word_embeddings: shape.tiedHead,
    torch_dtype: dtype,
    use_cache: true,
    vocab_size: shape.vocabSize,
  };
}
