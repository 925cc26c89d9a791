/** TensorFlow.js as a peer: its WebAssembly backend, and the one in plain JavaScript where that lacks a gradient. float32. */
import {randomValues} from '../../../lib/bench/random-values.js';
import type {CaseOf, WorkCase} from '../../duels/work-case.js';
import {loadInstalled} from '../installed.js';
import {comparedLosses} from '../llama.js';
import {serve, type PeerWork} from '../serve.js';
import type {Tf} from './library.js';
import {createStep} from './llama.js';

/** `gather` has no gradient in WebAssembly: a product with one-hot ids does the same there. */
const wasmOneHot = 'wasm, one-hot embedding';

const variants: Partial<Record<WorkCase['kind'], readonly string[]>> = {
  matmul: ['wasm'],
  trainingStep: ['wasm', wasmOneHot, 'cpu'],
};

await serve(() => {
  const {library: tf, version} = loadInstalled<Tf>('@tensorflow/tfjs');
  loadInstalled('@tensorflow/tfjs-backend-wasm'); // makes itself known to tfjs
  return {
    name: 'TensorFlow.js',
    version,
    threads: 1,
    variants: ({kind, pass, dtype}) => (pass === 'both' || dtype !== 'float32' ? [] : (variants[kind] ?? [])),
    async prepare(work, variant) {
      await tf.setBackend(variant === 'cpu' ? 'cpu' : 'wasm');
      tf.engine().startScope();
      const dispose = (): void => {
        tf.engine().endScope();
        tf.disposeVariables();
      };
      if (work.kind === 'matmul') return {...matmul(tf, work), dispose};
      if (work.kind === 'trainingStep')
        return {...trainingStep(tf, work, {oneHotEmbedding: variant === wasmOneHot}), dispose};
      throw new Error(`${work.kind} is not done here`);
    },
  };
});

type Runs = Omit<PeerWork, 'dispose'>;

function matmul(tf: Tf, {m, n, k}: CaseOf<'matmul'>): Runs {
  const a = tf.tensor(randomValues(m * k, {seed: 1}), [m, k]);
  const b = tf.tensor(randomValues(k * n, {seed: 2}), [k, n]);
  return {
    run: () => tf.matMul(a, b).dispose(), // WebAssembly has computed it by then
    async results() {
      const y = tf.matMul(a, b);
      return {y: await y.data()};
    },
  };
}

function trainingStep(
  tf: Tf,
  work: CaseOf<'trainingStep'>,
  options: {readonly oneHotEmbedding: boolean},
): Runs {
  const step = createStep(tf, work, options);
  return {
    run: () => step().dispose(),
    results: () => comparedLosses(() => step().data()),
  };
}
