/** Matrix products beside the libraries that PyTorch calls: a BLAS for float32, oneDNN for bfloat16, and oneDNN in its own layout. */
import {runDuels} from '../duels/run.js';
import {sized} from '../support/quick.js';

const side = sized(2048, 128);
const sizes = {kind: 'matmul', pass: 'forward', m: side, n: side, k: side} as const;

await runDuels({
  name: 'torch/matmul',
  cases: [{work: {...sizes, dtype: 'float32'}}, {work: {...sizes, dtype: 'bfloat16'}}],
});
