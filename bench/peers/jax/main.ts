/** jax-js as a peer: its WebAssembly backend, the step of training compiled by its jit. float32. */
import {randomValues} from '../../../lib/bench/random-values.js';
import type {CaseOf, WorkCase} from '../../duels/work-case.js';
import {loadInstalled} from '../installed.js';
import {comparedLosses} from '../llama.js';
import {serve, type PeerWork} from '../serve.js';
import type {Jax} from './library.js';
import {createStep} from './llama.js';

const variants: Partial<Record<WorkCase['kind'], string>> = {matmul: 'wasm', trainingStep: 'wasm, jit'};

await serve(async () => {
  const {library: jax, version} = loadInstalled<Jax>('@jax-js/jax');
  // It asks a browser's `navigator` for a GPU; Node has one since version 21.
  if (!('navigator' in globalThis)) Object.assign(globalThis, {navigator: {}});
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  return {
    name: 'jax-js',
    version,
    threads: 1,
    variants: ({kind, pass, dtype}) => {
      const variant = variants[kind];
      return variant === undefined || pass === 'both' || dtype !== 'float32' ? [] : [variant];
    },
    prepare(work) {
      if (work.kind === 'matmul') return matmul(jax, work);
      if (work.kind === 'trainingStep') return trainingStep(jax, work);
      throw new Error(`${work.kind} is not done here`);
    },
  };
});

function matmul({numpy: np}: Jax, {m, n, k}: CaseOf<'matmul'>): PeerWork {
  const a = np.array(randomValues(m * k, {seed: 1})).reshape([m, k]);
  const b = np.array(randomValues(k * n, {seed: 2})).reshape([k, n]);
  return {
    async run() {
      const y = np.matmul(a.ref, b.ref);
      await y.blockUntilReady(); // it is lazy until then
      y.dispose();
    },
    results: async () => ({y: await np.matmul(a.ref, b.ref).data()}),
    dispose() {
      a.dispose();
      b.dispose();
    },
  };
}

function trainingStep(jax: Jax, work: CaseOf<'trainingStep'>): PeerWork {
  const {step, dispose} = createStep(jax, work);
  return {
    run: async () => (await step()).dispose(),
    results: () => comparedLosses(async () => (await step()).data()),
    dispose,
  };
}
