/** Frequencies of the rotary embedding, scaled to longer contexts. */
import type {DecoderShape} from './shape.js';

/** What the op `rotary` needs beside positions. */
interface RotaryFrequencies {
  /** [headDim / 2] angle per position, in radians. */
  readonly frequencies: Float64Array;
  /** Factor of cosine and sine: YaRN's temperature on attention, else 1. */
  readonly scale: number;
}

type Scaling = NonNullable<DecoderShape['ropeScaling']>;
type ScalingOf<Type extends Scaling['type']> = Extract<Scaling, {readonly type: Type}>;
type RotaryShape = Pick<DecoderShape, 'headDim' | 'ropeTheta' | 'ropeScaling'>;

/**
 * Angle per position of each pair of features: `theta^(-2d / headDim)`, then scaled.
 *
 * @see Su et al. 2021, arXiv:2104.09864; YaRN: Peng et al. 2023, arXiv:2309.00071, as the transformers library computes it
 */
export function rotaryFrequencies(shape: RotaryShape): RotaryFrequencies {
  const {headDim, ropeTheta, ropeScaling} = shape;
  const unscaled = Float64Array.from(
    {length: headDim / 2},
    (_, d) => 1 / Math.pow(ropeTheta, (2 * d) / headDim),
  );
  if (ropeScaling === undefined) return {frequencies: unscaled, scale: 1};
  const stretched = (stretch: (frequency: number, d: number) => number, scale = 1): RotaryFrequencies => ({
    frequencies: unscaled.map(stretch),
    scale,
  });
  if (ropeScaling.type === 'linear') return stretched((frequency) => frequency / ropeScaling.factor);
  if (ropeScaling.type === 'llama3') return stretched((frequency) => scaleByWave(frequency, ropeScaling));
  const yarn = {...shape, ...ropeScaling};
  return stretched((frequency, d) => scaleByPart(frequency, d, yarn), 0.1 * Math.log(yarn.factor) + 1);
}

/** Long waves are stretched by the whole factor, short ones not, those between in proportion to their turns. */
function scaleByWave(frequency: number, scaling: ScalingOf<'llama3'>): number {
  const {factor, originalContext, lowFrequencyFactor, highFrequencyFactor} = scaling;
  const turns = (originalContext * frequency) / (2 * Math.PI);
  const kept = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return mix(frequency, factor, Math.min(Math.max(kept, 0), 1));
}

/** The same with bounds given as turns over the original context, rounded outward to whole features. */
function scaleByPart(frequency: number, d: number, scaling: RotaryShape & ScalingOf<'yarn'>): number {
  const {headDim, ropeTheta, factor, originalContext, betaFast, betaSlow} = scaling;
  const featureWithTurns = (turns: number): number =>
    (headDim * Math.log(originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const low = Math.max(Math.floor(featureWithTurns(betaFast)), 0);
  const high = Math.min(Math.ceil(featureWithTurns(betaSlow)), headDim - 1);
  const width = high === low ? 0.001 : high - low; // a step, without a division by zero
  return mix(frequency, factor, 1 - Math.min(Math.max((d - low) / width, 0), 1));
}

/** Between the frequency stretched by the factor (kept = 0) and itself (kept = 1). */
function mix(frequency: number, factor: number, kept: number): number {
  return (1 - kept) * (frequency / factor) + kept * frequency;
}
