/** The section `model`: the shape of the Llama-family decoder. */
import {z} from 'zod';
import {atLeast, choice, flag, list, positive, section, wholeNumber} from './fields.js';

const factor = atLeast(1).describe('How many times longer than the original context.');
const originalContext = wholeNumber(1).describe('Context that the unscaled frequencies were made for.');

const ropeScaling = z.discriminatedUnion(
  'type',
  [
    section({type: choice(['linear']).describe('All positions are divided by `factor`.'), factor}),
    section({
      type: choice(['llama3']).describe('Low frequencies are scaled, high ones kept, as in Llama 3.1.'),
      factor,
      originalContext,
      lowFrequencyFactor: positive()
        .default(1)
        .describe('Waves longer than originalContext / this are scaled in full.'),
      highFrequencyFactor: positive()
        .default(4)
        .describe('Waves shorter than originalContext / this are not scaled.'),
    }),
    section({
      type: choice(['yarn']).describe(
        'Interpolation by parts with a temperature on attention (arXiv:2309.00071).',
      ),
      factor,
      originalContext,
      betaFast: positive()
        .default(32)
        .describe('Turns over the original context above which a wave is not scaled.'),
      betaSlow: positive()
        .default(1)
        .describe('Turns over the original context below which a wave is scaled in full.'),
    }),
  ],
  {error: 'a section with type: linear, llama3 or yarn'},
);

const slidingWindow = section({
  size: wholeNumber(1).describe('Tokens a query sees, itself included.'),
  layers: list(wholeNumber(1), 'layers, counted from 1')
    .exactOptional()
    .describe('Layers that use the window, counted from 1; default all.'),
});

export const model = section({
  layers: wholeNumber(1).default(6).describe('Decoder blocks.'),
  features: wholeNumber(1).default(384).describe('Width of the residual stream.'),
  heads: wholeNumber(1).default(6).describe('Query heads.'),
  kvHeads: wholeNumber(1)
    .exactOptional()
    .describe('Key and value heads, shared by heads / kvHeads query heads each; default heads.'),
  headDim: wholeNumber(2).exactOptional().describe('Features of one head, even; default features / heads.'),
  hiddenFeatures: wholeNumber(1)
    .exactOptional()
    .describe('Inner width of SwiGLU; default 8/3 features, rounded up to a multiple of 64.'),
  context: wholeNumber(8).default(512).describe('Tokens of the longest segment.'),
  ropeTheta: positive().default(10000).describe('Base of the rotary frequencies.'),
  ropeScaling: ropeScaling
    .exactOptional()
    .describe('Scaling of the rotary frequencies to longer contexts; default none.')
    .meta({examples: [{type: 'linear', factor: 2}]}),
  tiedHead: flag().default(true).describe('Whether the output head is the embedding table itself.'),
  normEps: positive().default(1e-5).describe('Added to the mean square in RMSNorm.'),
  slidingWindow: slidingWindow
    .exactOptional()
    .describe('Attention limited to the nearest tokens; default none.')
    .meta({examples: [{size: 256}]}),
});
