/** Attention forward over one causal segment beside onnxruntime's fused op. */
import {onnxruntime} from '../duels/programs.js';
import {runDuels} from '../duels/run.js';
import {sized} from '../support/quick.js';

await runDuels({
  name: 'node/attention',
  peers: [onnxruntime],
  cases: [
    {
      work: {
        kind: 'attention',
        pass: 'forward',
        tokens: sized(2048, 128),
        heads: sized(8, 2),
        headDim: 64,
        dtype: 'float32',
      },
    },
  ],
});
