/** Seeded random numbers beside Math.random in a loop. Bytes: those written. There is no equal result to check; the tests hold the numbers. */
import {normal, uniform} from '../../lib/ops/index.js';
import {runBench} from '../support/bench.js';
import {sized} from '../support/quick.js';

const size = sized(1 << 22, 1 << 12);
const out = new Float32Array(size);

function plainUniform(): void {
  for (let index = 0; index < size; index++) out[index] = Math.random();
}

/** Box and Muller. */
function plainNormal(): void {
  for (let index = 0; index < size; index++)
    out[index] = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

await runBench({
  name: 'ops/random',
  cases: [
    {
      title: `uniform [${size}] float32`,
      ours: () => uniform([size], {seed: 1}),
      peer: {name: 'Math.random', run: plainUniform},
      bytes: size * 4,
    },
    {
      title: `normal [${size}] float32`,
      ours: () => normal([size], {seed: 1}),
      peer: {name: 'Math.random by Box and Muller', run: plainNormal},
      bytes: size * 4,
    },
  ],
});
