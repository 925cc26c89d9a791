/** Attention over one causal segment beside PyTorch: its fused form where it has one, else scores in memory. */
import {runDuels} from '../duels/run.js';
import {sized} from '../support/quick.js';

const shape = {kind: 'attention', tokens: sized(2048, 128), heads: sized(8, 2), headDim: 64} as const;

await runDuels({
  name: 'torch/attention',
  cases: [
    {work: {...shape, pass: 'forward', dtype: 'float32'}},
    {work: {...shape, pass: 'both', dtype: 'float32'}},
    {work: {...shape, pass: 'both', dtype: 'bfloat16'}},
  ],
});
