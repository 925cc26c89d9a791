/** Time and memory of attention, forward and backward, as tokens grow: scores in memory need tokens x tokens. */
import {runDuels} from '../duels/run.js';
import {doublings} from '../support/doublings.js';
import {sized} from '../support/quick.js';

await runDuels({
  name: 'scaling/attention',
  samples: 3,
  cases: doublings(sized(512, 64), sized(32_768, 256)).map((tokens) => ({
    work: {kind: 'attention', pass: 'both', tokens, heads: sized(8, 2), headDim: 64, dtype: 'float32'},
    place: {
      series: 'attention, forward and backward, float32',
      axis: 'tokens',
      size: tokens,
      // Each token looks at all before it; nothing that is kept is larger than the inputs.
      powers: {seconds: 2, extraBytes: 1},
    },
  })),
});
