/** A training step of a small Llama-style decoder beside the libraries for Node that have gradients, on the one thread that they use there. */
import {jax, tfjs} from '../duels/programs.js';
import {runDuels} from '../duels/run.js';
import {sized} from '../support/quick.js';
import {tiny} from '../support/training-models.js';

const small = {
  tokens: 256,
  segment: 128,
  layers: 2,
  features: 128,
  heads: 4,
  hiddenFeatures: 384,
  vocab: 1024,
};

await runDuels({
  name: 'node/training-step',
  peers: [tfjs, jax],
  threads: [1],
  cases: [{work: {kind: 'trainingStep', pass: 'step', ...sized(small, tiny), dtype: 'float32'}}],
});
