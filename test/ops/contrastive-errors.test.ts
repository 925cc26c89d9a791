/** What contrastive refuses: arguments that do not fit, by name, and weights that cannot be used, once they are read. */
import {backward, gradient} from '../../lib/autograd/index.js';
import {contrastive, type ContrastiveOptions} from '../../lib/ops/index.js';
import {synchronize, tensor, zeros, type Tensor} from '../../lib/tensor/index.js';
import {onEachDevice, type On} from '../support/ops.js';
import {leaf, zerosOf} from './contrastive-cases.js';

for (const [title, weights, groups] of [
  ['all 0', [0, 0, 0]],
  ['all 0 but of absent pairs', [0, 2, 0], [0, -1, 1]],
  ['negative', [1, -1, 2]],
  ['NaN', [1, NaN, 1]],
  ['infinite', [1, 1, Infinity]],
] as const)
  onEachDevice(
    ['float32', 'bfloat16'],
    `contrastive reports weights that are ${title}, and gives zeros`,
    async (t, on) => {
      const leaves = [leaf([3, 5], on), leaf([3, 5], on, 2)] as const;
      const loss = contrastive(...leaves, {
        weights: tensor([...weights], {device: on.device}),
        ...(groups && {groups: tensor([...groups], {device: on.device, dtype: 'int32'})}),
      });
      backward(loss);
      await t.throwsAsync(synchronize(on.device), {
        code: 'ERR_ARGUMENT',
        message: 'contrastive: weights must be finite, 0 or more, and not all 0',
      });
      t.is(await loss.item(), 0);
      for (const each of leaves) t.deepEqual([...(await gradient(each)!.floats())], zerosOf(15));
    },
  );

onEachDevice(['float32'], 'contrastive refuses what does not fit, by name', (t, on) => {
  const [x, y] = [zeros([3, 2], on), zeros([3, 2], on)];
  const int32 = (shape: readonly number[]): Tensor => zeros(shape, {device: on.device, dtype: 'int32'});
  const half = {...on, dtype: 'float16'} satisfies On;
  const refused = (
    rows: Tensor,
    columns: Tensor,
    options: ContrastiveOptions,
    code: string,
    message: string,
  ): void => {
    t.throws(() => contrastive(rows, columns, options), {code, message: `contrastive: ${message}`});
  };
  refused(zeros([3], on), y, {}, 'ERR_SHAPE', 'x must have 2 axes; got [3]');
  refused(
    zeros([0, 2], on),
    zeros([0, 2], on),
    {},
    'ERR_SHAPE',
    'x must be [pairs, features] with at least 1 pair; got [0, 2]',
  );
  refused(int32([3, 2]), y, {}, 'ERR_DTYPE', 'x must be float32, bfloat16 or float16; got int32');
  refused(x, zeros([4, 2], on), {}, 'ERR_SHAPE', 'y must be [3, 2] to match x [3, 2]; got [4, 2]');
  refused(x, zeros([3, 2], half), {}, 'ERR_DTYPE', 'y must be float32 to match x; got float16');
  refused(x, y, {temperature: 0}, 'ERR_ARGUMENT', 'temperature must be a number above 0; got 0');
  refused(x, y, {temperature: NaN}, 'ERR_ARGUMENT', 'temperature must be a number above 0; got NaN');
  refused(
    x,
    y,
    {temperature: 1e-39},
    'ERR_ARGUMENT',
    'temperature must be large enough that 1 / temperature is a float32; got 1e-39',
  );
  refused(x, y, {temperature: zeros([1], on)}, 'ERR_SHAPE', 'temperature must be []; got [1]');
  refused(x, y, {temperature: zeros([], half)}, 'ERR_DTYPE', 'temperature must be float32; got float16');
  refused(x, y, {margin: Infinity}, 'ERR_ARGUMENT', 'margin must be a finite number; got Infinity');
  refused(x, y, {threshold: NaN}, 'ERR_ARGUMENT', 'threshold must be a finite number; got NaN');
  refused(x, y, {groups: int32([2])}, 'ERR_SHAPE', 'groups must be [3] to match x [3, 2]; got [2]');
  refused(x, y, {groups: zeros([3], on)}, 'ERR_DTYPE', 'groups must be int32; got float32');
  refused(x, y, {weights: zeros([4], on)}, 'ERR_SHAPE', 'weights must be [3] to match x [3, 2]; got [4]');
  refused(x, y, {weights: zeros([3], half)}, 'ERR_DTYPE', 'weights must be float32; got float16');
  refused(x, y, {negatives: zeros([2], on)}, 'ERR_SHAPE', 'negatives must have 2 axes; got [2]');
  refused(
    x,
    y,
    {negatives: zeros([5, 3], on)},
    'ERR_SHAPE',
    'negatives must be [5, 2] to match x [3, 2]; got [5, 3]',
  );
  refused(
    x,
    y,
    {negatives: zeros([5, 2], half)},
    'ERR_DTYPE',
    'negatives must be float32 to match x; got float16',
  );
  const groupMode = 'all' as 'mask';
  refused(
    x,
    y,
    {groupMode},
    'ERR_ARGUMENT',
    "argument 3.groupMode must be one of mask, positives, none; got 'all'",
  );
  const scope = 'own' as 'both';
  refused(x, y, {scope}, 'ERR_ARGUMENT', "argument 3.scope must be one of cross, both; got 'own'");
});
