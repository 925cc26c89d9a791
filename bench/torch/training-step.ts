/** A whole training step of Llama-style decoders beside the same model in PyTorch, bfloat16 beside its autocast. */
import {runDuels, type DuelCase} from '../duels/run.js';
import {trainingModels} from '../support/training-models.js';

await runDuels({
  name: 'torch/training-step',
  cases: trainingModels.flatMap((sizes): DuelCase[] => [
    {work: {kind: 'trainingStep', pass: 'step', ...sizes, dtype: 'float32'}},
    {work: {kind: 'trainingStep', pass: 'step', ...sizes, dtype: 'bfloat16'}},
  ]),
});
