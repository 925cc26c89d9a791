/** A peer in Node without a library: `run` works once in a process with the variant `once`, and never with `broken`. */
import {serve} from '../../bench/peers/serve.js';

let runs = 0;

await serve((threads = 1) => {
  if (threads > 2) throw new Error('it is not installed\nand more that nobody needs');
  console.log('a banner'); // must not be taken for an answer
  return {
    name: 'fake',
    version: '1.2',
    threads,
    variants: ({kind, dtype}) =>
      kind === 'matmul' && dtype === 'float32' ? ['plain', 'once', 'broken'] : [],
    prepare: (work, variant) => ({
      run() {
        if (variant === 'broken') throw new Error('no such kernel');
        if (variant === 'once' && runs++ > 0) throw new Error('it ran before');
      },
      results: () => {
        runs++;
        return Promise.resolve({y: Float32Array.of(work.kind === 'matmul' ? work.m : 0, 4)});
      },
      dispose() {},
    }),
  };
});
