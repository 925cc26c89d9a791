/** How many powers, roots and fused multiply-adds kernels compute: as many as the equations have, which the emulator counts thread by thread. */
import test from 'ava';
import {backward, requireGradient} from '../../lib/autograd/index.js';
import {causalPairs} from '../../lib/bench/work.js';
import {totalFmas, totalSpecialFunctions} from '../../lib/bench/roofline.js';
import {native} from '../../lib/native.js';
import {attention, exp, log, normal, pool, sigmoid, sqrt, square, swiglu, tanh} from '../../lib/ops/index.js';
import {tensor, type Tensor} from '../../lib/tensor/index.js';
import {testDevices} from '../support/ops.js';

const device = 'simt';

const make = (shape: readonly number[], seed = 1): Tensor => normal(shape, {seed, device});
const ints = (...values: readonly number[]): Tensor => tensor(Int32Array.from(values), {device});

/** What the kernels of `run` compute. */
function countsOf(run: () => unknown): {fmas: number; special: number} {
  native.simtCounters(); // waits for what ran before
  native.simtProfile(true);
  run();
  const counters = native.simtCounters();
  native.simtProfile(false);
  return {fmas: totalFmas(counters), special: totalSpecialFunctions(counters)};
}

const shape = [3, 70];
const size = 210;

/** Special functions of each element. */
const perElement: Readonly<Record<string, readonly [number, (x: Tensor) => Tensor]>> = {
  exp: [1, exp],
  'log, which is a polynomial,': [0, log],
  sigmoid: [1, sigmoid],
  sqrt: [1, sqrt],
  square: [0, square],
  swiglu: [1, (x) => swiglu(x, x)],
  'tanh, a power and a reciprocal,': [2, tanh],
};

/** Causal attention over one segment, as it is trained. */
function countAttention(tokens: number) {
  const qkv = [1, 2, 3].map((seed) => requireGradient(make([tokens, 1, 32], seed)));
  const [q, k, v] = qkv as [Tensor, Tensor, Tensor];
  const segmentStarts = ints(0, tokens);
  const dOut = make([tokens, 1, 32], 4);
  let out: Tensor | undefined;
  return {
    forward: countsOf(() => (out = attention(q, k, v, {segmentStarts}))),
    backward: countsOf(() => backward(out!, dOut)),
  };
}

if (testDevices.includes(device)) {
  // In turn, since the counters are those of the process.
  for (const [name, [special, op]] of Object.entries(perElement))
    test.serial(`${device} ${name} takes ${special} special functions for each element`, (t) => {
      const x = make(shape);
      t.deepEqual(
        countsOf(() => op(x)),
        {fmas: 0, special: special * size},
      );
    });

  test.serial(`${device} pooling takes a fused multiply-add for each element of a span`, (t) => {
    const [hidden, starts, ends] = [make([9, 70]), ints(0, 2), ints(9, 5)];
    t.deepEqual(
      countsOf(() => pool(hidden, starts, ends)),
      {fmas: (9 + 3) * 70, special: 0},
    );
  });

  test.serial(`${device} attention computes a power for each score that is seen, and few beside`, (t) => {
    const tokens = 1024;
    const pairs = causalPairs([tokens]);
    const {forward, backward: back} = countAttention(tokens);
    // Beside them the tiles on the diagonal have scores that are masked, and each block of keys rescales its rows.
    for (const count of [forward.special, forward.fmas])
      t.true(count >= pairs && count <= 1.2 * pairs, `${count} for ${pairs} scores`);
    // The backward pass computes the weights again, for the gradients of queries and of keys.
    t.true(back.special >= pairs && back.special <= 2 * 1.2 * pairs, `${back.special} for ${pairs} scores`);
  });
} else test('arithmetic is counted on the emulator alone', (t) => t.false(testDevices.includes(device)));
