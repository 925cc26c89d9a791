/** Matrix products beside libraries for Node: onnxruntime, and WebAssembly. */
import {jax, onnxruntime, tfjs} from '../duels/programs.js';
import {runDuels} from '../duels/run.js';
import {sized} from '../support/quick.js';

await runDuels({
  name: 'node/matmul',
  peers: [onnxruntime, tfjs, jax],
  cases: sized([512, 1024], [128]).map((side) => ({
    work: {kind: 'matmul', pass: 'forward', m: side, n: side, k: side, dtype: 'float32'},
  })),
});
