/** Rotary embedding in a Hugging Face `config.json`: `rope_theta` with `rope_scaling`, or the newer `rope_parameters`. */
import {z} from 'zod';
import type {DecoderShape} from '../../nn/index.js';
import type {Refuse} from './refuse.js';

type Rope = Pick<DecoderShape, 'ropeTheta' | 'ropeScaling'>;
type Scaling = NonNullable<DecoderShape['ropeScaling']>;
type ScalingType = Scaling['type'];

const positive = z.number().gt(0);
const factor = z.number().min(1);
const tokens = z.int().min(1);

/** Members of `rope_scaling` and `rope_parameters` that decide how a model computes; others are refused. */
const scalingSchema = z.strictObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: positive.nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
  factor: factor.nullish(),
  original_max_position_embeddings: tokens.nullish(),
  low_freq_factor: positive.nullish(),
  high_freq_factor: positive.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  attention_factor: positive.nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.literal(true).nullish(),
});

type ScalingMembers = z.output<typeof scalingSchema>;

/** The members of a `config.json` that speak of the rotary embedding. */
export const ropeMembers = {
  rope_theta: positive.nullish(),
  rope_scaling: scalingSchema.nullish(),
  rope_parameters: scalingSchema.nullish(),
} as const;

type RopeConfig = z.output<z.ZodObject<typeof ropeMembers>>;

/** theta^(-2d / headDim) where nothing else is said, as in Llama. */
const defaultTheta = 10000;

/**
 * Reads theta and scaling. `rope_scaling` goes before `rope_parameters` where both are given, as in the transformers library.
 *
 * @param context `max_position_embeddings`, which stands for what yarn leaves out
 */
export function ropeOf(config: RopeConfig, context: number, refuse: Refuse): Rope {
  const members: ScalingMembers = config.rope_scaling ?? config.rope_parameters ?? {};
  const ropeTheta = members.rope_theta ?? config.rope_theta ?? defaultTheta;
  const type = members.rope_type ?? members.type ?? 'default';
  if (type === 'default') return {ropeTheta};
  const read = Object.entries(readers).find(([name]) => name === type)?.[1];
  if (read === undefined)
    return refuse(
      `has rotary scaling of type ${type}; crossmap knows default, ${Object.keys(readers).join(', ')}`,
    );
  return {ropeTheta, ropeScaling: read(members, {context, refuse})};
}

interface ScalingContext {
  readonly context: number;
  readonly refuse: Refuse;
}

const readers: {readonly [Type in ScalingType]: (from: ScalingMembers, at: ScalingContext) => Scaling} = {
  linear: (from, {refuse}) => ({type: 'linear', factor: needed(from, 'factor', refuse)}),
  llama3: (from, {refuse}) => {
    const lowFrequencyFactor = needed(from, 'low_freq_factor', refuse);
    const highFrequencyFactor = needed(from, 'high_freq_factor', refuse);
    if (highFrequencyFactor <= lowFrequencyFactor)
      refuse(`has a high_freq_factor of ${highFrequencyFactor}; it must be above low_freq_factor`);
    return {
      type: 'llama3',
      factor: needed(from, 'factor', refuse),
      originalContext: needed(from, 'original_max_position_embeddings', refuse),
      lowFrequencyFactor,
      highFrequencyFactor,
    };
  },
  yarn: (from, {context, refuse}) => {
    const originalContext = from.original_max_position_embeddings ?? context;
    const stretch = from.factor ?? context / originalContext;
    const betaFast = from.beta_fast ?? 32;
    const betaSlow = from.beta_slow ?? 1;
    if (stretch < 1) refuse(`has a yarn factor of ${stretch}; it must be 1 or more`);
    if (betaFast <= betaSlow) refuse(`has a beta_fast of ${betaFast}; it must be above beta_slow`);
    const found = attentionFactor(from, stretch);
    if (Math.abs(found - temperature(stretch)) > 1e-6)
      refuse(
        `has a yarn attention factor of ${found}; crossmap computes 0.1 ln(factor) + 1 = ${temperature(stretch)}`,
      );
    return {type: 'yarn', factor: stretch, originalContext, betaFast, betaSlow};
  },
};

/** Temperature of yarn on attention. arXiv:2309.00071, equation 22 */
function temperature(stretch: number, scale = 1): number {
  return 0.1 * scale * Math.log(stretch) + 1;
}

function attentionFactor(
  {attention_factor: given, mscale, mscale_all_dim: all}: ScalingMembers,
  stretch: number,
): number {
  if (typeof given === 'number') return given;
  if (mscale && all) return temperature(stretch, mscale) / temperature(stretch, all);
  return temperature(stretch);
}

function needed<Name extends keyof ScalingMembers>(
  members: ScalingMembers,
  name: Name,
  refuse: Refuse,
): NonNullable<ScalingMembers[Name]> {
  return members[name] ?? refuse(`has rotary scaling without ${name}`);
}

/** The members that say the same, as every version of transformers since scaling has types reads them. */
export function ropeMembersOf({ropeTheta, ropeScaling}: Rope): {
  readonly rope_theta: number;
  readonly rope_scaling: Readonly<Record<string, string | number>> | null;
} {
  return {rope_theta: ropeTheta, rope_scaling: ropeScaling === undefined ? null : written(ropeScaling)};
}

function written(scaling: Scaling): Readonly<Record<string, string | number>> {
  const {type: rope_type, factor: stretch} = scaling;
  if (scaling.type === 'linear') return {rope_type, factor: stretch};
  const original_max_position_embeddings = scaling.originalContext;
  if (scaling.type === 'llama3')
    return {
      rope_type,
      factor: stretch,
      original_max_position_embeddings,
      low_freq_factor: scaling.lowFrequencyFactor,
      high_freq_factor: scaling.highFrequencyFactor,
    };
  return {
    rope_type,
    factor: stretch,
    original_max_position_embeddings,
    beta_fast: scaling.betaFast,
    beta_slow: scaling.betaSlow,
    attention_factor: temperature(stretch),
  };
}
