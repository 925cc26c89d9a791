/** The sections `training` and `evaluation`. */
import {z} from 'zod';
import {atLeast, choice, flag, positive, section, share, shareBelowOne, text, wholeNumber} from './fields.js';

export const training = section({
  from: text()
    .exactOptional()
    .describe(
      'A run, or one of its checkpoints, whose weights training starts from; default seeded weights. Optimiser and order of the data start anew.',
    )
    .meta({examples: ['runs/other']}),
  steps: wholeNumber(1).default(1000).describe('Optimiser steps.'),
  tokensPerBatch: wholeNumber(1).default(4096).describe('Tokens of one packed micro-batch, at most.'),
  accumulation: wholeNumber(1)
    .default(1)
    .describe('Micro-batches per step; their gradients are summed exactly.'),
  learningRate: positive()
    .default(6e-4)
    .describe('Highest learning rate, reached at the end of the warm-up.'),
  warmupSteps: wholeNumber(0).exactOptional().describe('Steps of linear warm-up; default 2 % of the steps.'),
  schedule: choice(['cosine', 'wsd', 'constant'])
    .default('cosine')
    .describe('Course of the learning rate after the warm-up; `wsd` stays and then decays linearly.'),
  minLearningRateRatio: share().default(0.1).describe('Learning rate at the end, as a share of the highest.'),
  decayShare: share().default(0.2).describe('Share of the steps in which `wsd` decays.'),
  weightDecay: atLeast(0).default(0.1).describe('Decoupled weight decay of matrices; norms have none.'),
  beta1: shareBelowOne().default(0.9).describe('Decay of the first moment of AdamW.'),
  beta2: shareBelowOne().default(0.95).describe('Decay of the second moment of AdamW.'),
  eps: positive().default(1e-8).describe('Added to the root of the second moment.'),
  clipNorm: z
    .union([choice(['off']), positive()], {error: 'off, or a number above 0'})
    .default(1)
    .describe('Global gradient norm above which gradients are scaled down; or `off`.'),
  explodingNorm: positive()
    .default(10000)
    .describe('Global gradient norm, before clipping, at which the run stops with an error.'),
  gradientNormsEvery: wholeNumber(0)
    .default(50)
    .describe(
      'Steps between measurements of how much each objective pulls at the states that are aligned, where there are two or more; 0 measures nothing.',
    ),
  activationCheckpointing: flag()
    .default(false)
    .describe('Whether activations are computed again in the backward pass: less memory, a third more work.'),
  graphs: choice(['auto', 'off'])
    .default('auto')
    .describe(
      'Whether steps are recorded and replayed as CUDA graphs where the device can: the same to the bit, with fewer calls.',
    ),
  checkpointEvery: wholeNumber(1).default(500).describe('Steps between checkpoints; the end always has one.'),
  keepCheckpoints: wholeNumber(1).default(2).describe('Newest checkpoints kept.'),
});

export const evaluation = section({
  every: wholeNumber(1).default(250).describe('Steps between evaluations; the end always has one.'),
  atStart: flag()
    .default(true)
    .describe('Whether the untrained model is evaluated, as the line to compare with.'),
  textTokens: wholeNumber(1).default(16384).describe('Held-out tokens per language for perplexity, at most.'),
  pairs: wholeNumber(0)
    .default(200)
    .describe('Held-out sentence pairs per language pair for alignment, at most; 0 leaves it out.'),
  bootstrap: wholeNumber(1).default(1000).describe('Resamples for the intervals of alignment.'),
  samples: wholeNumber(0).default(2).describe('Translations shown per direction.'),
  maxNewTokens: wholeNumber(1).default(64).describe('Longest translation shown, in tokens.'),
});
