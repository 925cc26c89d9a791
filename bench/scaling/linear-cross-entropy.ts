/** Time and memory of linear cross-entropy with its gradients as the vocabulary grows: logits in memory need tokens x vocab. */
import {runDuels} from '../duels/run.js';
import {doublings} from '../support/doublings.js';
import {sized} from '../support/quick.js';

await runDuels({
  name: 'scaling/linear-cross-entropy',
  samples: 3,
  cases: doublings(sized(8192, 256), sized(262_144, 1024)).map((vocab) => ({
    work: {
      kind: 'linearCrossEntropy',
      pass: 'both',
      tokens: sized(2048, 64),
      features: sized(512, 64),
      vocab,
      dtype: 'float32',
    },
    place: {
      series: 'linear cross-entropy, forward and backward, float32',
      axis: 'vocabulary',
      size: vocab,
      // The gradient of the weight grows with the vocabulary on either side; logits are tokens / features times as large.
      powers: {seconds: 1, extraBytes: 1},
    },
  })),
});
