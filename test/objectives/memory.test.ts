import {clearGradients} from '../../lib/autograd/index.js';
import {createObjectives} from '../../lib/objectives/index.js';
import {scope} from '../../lib/tensor/index.js';
import {shaken} from '../nn/shapes.js';
import {aloneOnEachDevice, keepsNothing} from '../support/memory.js';
import {configOf} from './batches.js';
import {parts} from './measure.js';

const configs = {
  'of all objectives': configOf('recipe: full'),
  'with activation checkpointing': configOf(
    'recipe: full',
    'steps: 99, tokensPerBatch: 64, activationCheckpointing: true',
  ),
  'with rivals from the step': configOf('contrastive: {negatives: step, learnableTemperature: true}'),
  'of contrast alone, below the last layer': configOf(
    'next: {weight: 0}, mapping: {weight: 0}, contrastive: {weight: 1, layer: 1}',
  ),
  'of contrast alone with rivals from the step': configOf(
    'next: {weight: 0}, mapping: {weight: 0}, contrastive: {weight: 1, layer: 1, negatives: step}',
  ),
};

for (const [title, config] of Object.entries(configs))
  aloneOnEachDevice(`memory is flat over steps ${title}`, async (t, on) => {
    using decoder = shaken(on);
    using objectives = createObjectives(config, decoder);
    const leaves = [...decoder.parameters, ...objectives.parameters].map(({tensor}) => tensor);
    for (let step = 0; step < 4; step++)
      await keepsNothing(t, on, () => {
        scope(() => objectives.step(parts, step).tokens);
        clearGradients(leaves);
      });
  });

aloneOnEachDevice(
  'objectives give the memory of theta back, whatever scope they were made in',
  async (t, on) => {
    using decoder = shaken(on);
    await keepsNothing(t, on, () => {
      scope(() => createObjectives(configs['with rivals from the step'], decoder)).dispose();
    });
  },
);
