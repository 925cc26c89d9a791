/** The contrastive loss with its gradients beside PyTorch with all scores in memory. */
import {runDuels} from '../duels/run.js';
import {sized} from '../support/quick.js';

const sizes = {kind: 'contrastive', pass: 'both', pairs: sized(8192, 128), features: sized(512, 64)} as const;

await runDuels({
  name: 'torch/contrastive',
  cases: [{work: {...sizes, dtype: 'float32'}}, {work: {...sizes, dtype: 'bfloat16'}}],
});
