/**
 * What TypeScript costs: a training step whose ops are checked, allocated, enqueued and taken from the queue, but not run, beside the same
 * step with its kernels. With them most of this cost is hidden, for the host enqueues while the executor works.
 */
import {native} from '../../lib/native.js';
import {startProfile, stopProfile} from '../../lib/profile/index.js';
import {prepare, type Work} from '../duels/work.js';
import type {CaseOf} from '../duels/work-case.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {runOnce} from '../support/sample.js';
import {trainingModels} from '../support/training-models.js';

type TrainingStep = CaseOf<'trainingStep'>;

const models = trainingModels.map((sizes): TrainingStep => ({
  kind: 'trainingStep',
  pass: 'step',
  ...sizes,
  dtype: 'float32',
}));

function withoutKernels({run}: Work): () => void {
  return () => {
    native.leaveOutKernels(true);
    try {
      run();
    } finally {
      native.leaveOutKernels(false);
    }
  };
}

/** Calls of ops in one run. */
async function countCalls(run: () => void): Promise<number> {
  startProfile();
  await runOnce(run);
  return stopProfile().events.filter(({kind}) => kind === 'call').length;
}

async function overheadCase(model: TrainingStep): Promise<BenchCase> {
  const work = prepare(model, 'cpu');
  const ours = withoutKernels(work);
  const {layers, features, tokens} = model;
  return {
    title: `training step of ${layers} layers, ${features} wide, ${tokens} tokens, without kernels`,
    ours,
    calls: await countCalls(ours),
    peer: {name: 'with kernels', run: work.run},
  };
}

const cases: BenchCase[] = [];
for (const model of models) cases.push(await overheadCase(model));

await runBench({name: 'nn/overhead', cases});
