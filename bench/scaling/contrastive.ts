/** Time and memory of the contrastive loss with its gradients as pairs grow: scores in memory need pairs x pairs. */
import {runDuels} from '../duels/run.js';
import {doublings} from '../support/doublings.js';
import {sized} from '../support/quick.js';

await runDuels({
  name: 'scaling/contrastive',
  samples: 3,
  cases: doublings(sized(1024, 64), sized(65_536, 256)).map((pairs) => ({
    work: {kind: 'contrastive', pass: 'both', pairs, features: sized(512, 64), dtype: 'float32'},
    place: {
      series: 'contrastive, forward and backward, float32',
      axis: 'pairs',
      size: pairs,
      // Each pair meets all others; gradients are as large as the inputs.
      powers: {seconds: 2, extraBytes: 1},
    },
  })),
});
