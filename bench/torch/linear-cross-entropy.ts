/** Linear cross-entropy with its gradients beside PyTorch with all logits in memory. */
import {runDuels} from '../duels/run.js';
import {sized} from '../support/quick.js';

const sizes = {
  kind: 'linearCrossEntropy',
  pass: 'both',
  tokens: sized(2048, 64),
  features: sized(512, 64),
  vocab: sized(32_000, 512),
} as const;

await runDuels({
  name: 'torch/linear-cross-entropy',
  cases: [{work: {...sizes, dtype: 'float32'}}, {work: {...sizes, dtype: 'bfloat16'}}],
});
