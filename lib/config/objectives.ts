/** The section `objectives`: next token, mapping and contrastive alignment, and what each weighs. */
import {z} from 'zod';
import {atLeast, choice, flag, list, positive, section, share, shareBelowOne, wholeNumber} from './fields.js';

/** Weights by recipe. `mono` takes each side of a pair as text of its own: what the pairing adds is then missing. */
export const recipes = {
  full: {next: 1, mapping: 1, contrastive: 0.1},
  paper: {next: 1, mapping: 1, contrastive: 0},
  mono: {next: 1, mapping: 0, contrastive: 0},
} as const;

const weight = (name: string) =>
  atLeast(0)
    .exactOptional()
    .describe(`Weight of the ${name} loss; 0 leaves it out; default as the recipe says.`);

const next = section({
  weight: weight('next-token'),
  labelSmoothing: shareBelowOne()
    .default(0)
    .describe('Probability spread evenly over the vocabulary in the target.'),
  zLoss: atLeast(0).default(0).describe('Factor of the squared log-sum-exp, which keeps logits small.'),
});

const mapping = section({
  weight: weight('mapping'),
  prefix: flag().default(false).describe('Whether the source sentence is attended to in both directions.'),
  sourceWeight: share()
    .default(0)
    .describe('Loss weight of the source tokens of a pair; 1 trains the concatenation on both sides.'),
});

const contrastive = section({
  weight: weight('contrastive'),
  warmupShare: share().default(0.1).describe('Share of the steps over which the weight rises from 0.'),
  layer: z
    .union([wholeNumber(1), list(wholeNumber(1), 'layers')], {
      error: 'a layer, counted from 1, or a list of layers',
    })
    .exactOptional()
    .describe(
      'Layer, counted from 1, whose output is aligned, or a list: mean of the losses; default layers / 2.',
    ),
  pooling: choice(['mean', 'last', 'weighted'])
    .default('mean')
    .describe('How a sentence becomes one vector; `weighted` counts its n tokens 1, 2, ..., n times.'),
  temperature: positive()
    .default(0.05)
    .describe('Divides the cosines: smaller looks harder at the nearest rivals.'),
  learnableTemperature: flag()
    .default(false)
    .describe('Whether the temperature is trained, from the given value, never below 0.01.'),
  margin: atLeast(0).default(0).describe('Taken from the cosine of the true pair before it is compared.'),
  scope: choice(['cross', 'both'])
    .default('cross')
    .describe('Where rivals come from: the other language (`cross`) or also the own language (`both`).'),
  groups: choice(['mask', 'positives', 'none'])
    .default('mask')
    .describe('What pairs with the same text are to each other: not compared, partners too, or rivals.'),
  threshold: z
    .union([choice(['off']), atLeast(0)], {error: 'off, or a number, 0 or more'})
    .default('off')
    .describe('Rivals whose cosine exceeds that of the true pair by more than this are left out; or `off`.'),
  negatives: choice(['microBatch', 'step'])
    .default('microBatch')
    .describe('Rivals come from the micro-batch, or from all micro-batches of the step (GradCache).'),
});

export const objectives = section({
  recipe: choice(['full', 'paper', 'mono'])
    .exactOptional()
    .describe(
      'Weights of next, mapping, contrastive: full 1, 1, 0.1; paper 1, 1, 0; mono 1, 0, 0; default full.',
    ),
  next: next.prefault({}).describe('Predict the next token of text.'),
  mapping: mapping.prefault({}).describe('Generate the translation of a sentence, in both directions.'),
  contrastive: contrastive
    .prefault({})
    .describe('Pull the hidden states of translations together, rivals apart.'),
});
