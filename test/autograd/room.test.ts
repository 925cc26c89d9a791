/** Memory of the tape: gradients where the caller wants them, and nothing left of work that fails. */
import test from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {withGradientsIn} from '../../lib/autograd/leaf.js';
import {freeingTape} from '../../lib/autograd/tape.js';
import {multiply, square, sum} from '../../lib/ops/index.js';
import {scope, tensor, zeros} from '../../lib/tensor/index.js';
import {aloneOnEachDevice, keepsNothing} from '../support/memory.js';
import {onEachDevice} from '../support/ops.js';

aloneOnEachDevice('work that throws leaves nothing on the tape, neither saved nor arrived', async (t, on) => {
  const x = requireGradient(tensor([1, 2, 3], on));
  const work = (): never => {
    multiply(square(x), square(x));
    throw new Error('own');
  };
  await keepsNothing(t, on, () => {
    t.throws(() => freeingTape(() => scope(work)), {message: 'own'});
  });
  x.dispose();
});

onEachDevice(['float32', 'bfloat16'], 'gradients stand in the memory that is given', async (t, on) => {
  const x = requireGradient(tensor([1, 2], on));
  const room = zeros([2], {device: on.device});
  const given = withGradientsIn([x], [room], () => {
    backward(sum(square(x)));
    backward(sum(multiply(x, x)));
    return gradient(x);
  });
  t.is(given, room);
  t.is(gradient(x), undefined, 'afterwards the leaf has none');
  t.deepEqual([...(await room.floats())], [4, 8]);
  backward(sum(square(x)));
  t.deepEqual([...(await gradient(x)!.floats())], [2, 4]);
  t.deepEqual([...(await room.floats())], [4, 8]);
});

test('a gradient that is given up leaves the memory that was given alone', (t) => {
  const x = requireGradient(tensor([1]));
  const room = zeros([1]);
  t.throws(() =>
    withGradientsIn([x], [room], () => {
      backward(square(x));
      throw new Error('own');
    }),
  );
  t.false(room.isDisposed);
  t.is(gradient(x), undefined);
});
