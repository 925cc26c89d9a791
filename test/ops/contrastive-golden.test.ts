/** The golden values of the method's definition: loss and gradients of four small pairs under each option. */
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {contrastive, type ContrastiveOptions} from '../../lib/ops/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {onEachDevice} from '../support/ops.js';
import {contrastiveLoss} from './contrastive-reference.js';

const at = (rows: number, f: (i: number, j: number) => number): number[][] =>
  Array.from({length: rows}, (_, i) => Array.from({length: 3}, (_each, j) => f(i, j)));

const x = at(4, (i, j) => Math.cos(1.3 * i + 0.7 * j + 0.2 * i * j));
const y = at(4, (i, j) => x[i]![j]! + 0.6 * Math.sin(2.1 * i + 1.9 * j));
const z = at(2, (m, j) => Math.sin(0.5 + 1.1 * m + j));
const groups = [0, 1, 0, 2];
const weights = [1, 0.5, 2, 1];

interface Golden {
  readonly title: string;
  readonly tau: number;
  readonly options: Omit<ContrastiveOptions, 'groups' | 'negatives' | 'weights'>;
  readonly uses?: 'groups' | 'negatives' | 'weights';
  readonly loss: number;
  /** dx[1, 2] */
  readonly dx: number;
  /** dy[3, 0] */
  readonly dy: number;
  readonly dTheta: number;
}

// prettier-ignore
const table: readonly Golden[] = [
  {title: 'cross', tau: 0.05, options: {}, loss: 0.000119871289, dx: -0.000000003490, dy: 0.000142646524, dTheta: -0.000897036430},
  {title: 'margin', tau: 0.05, options: {margin: 0.3}, loss: 0.043228466411, dx: -0.000001408920, dy: 0.044344992419, dTheta: -0.059321452733},
  {title: 'weights', tau: 0.2, options: {}, uses: 'weights', loss: 0.054940107999, dx: -0.000788151527, dy: 0.014171700099, dTheta: -0.137364212038},
  {title: 'groups mask', tau: 0.2, options: {groupMode: 'mask'}, uses: 'groups', loss: 0.046407113325, dx: -0.001968765754, dy: 0.017621294854, dTheta: -0.120863086384},
  {title: 'groups positives', tau: 0.2, options: {groupMode: 'positives'}, uses: 'groups', loss: 2.374360417892, dx: -0.001968756161, dy: 0.017620705259, dTheta: 2.206634843482},
  {title: 'scope both', tau: 0.2, options: {scope: 'both'}, loss: 0.074679941218, dx: -0.000708926374, dy: 0.029268222466, dTheta: -0.224735804357},
  {title: 'negatives', tau: 0.2, options: {}, uses: 'negatives', loss: 0.301428627424, dx: -0.008985904939, dy: 0.086706507613, dTheta: -0.256393391492},
  {title: 'one-directional', tau: 0.2, options: {oneDirectional: true}, loss: 0.050681251439, dx: -0.001312881458, dy: 0.022134004206, dTheta: -0.122776174417},
];

/**
 * Half a unit of the table's last digit; and logits reach 1 / tau = 20, whose float32 rounding of 2^-20 is the relative error of a
 * softmax share: four of these.
 */
const tolerance = (golden: number): number => 5e-13 + 2 ** -18 * Math.abs(golden);

for (const {title, tau, options, uses, ...golden} of table)
  onEachDevice(['float32'], `contrastive has the golden values of ${title}`, async (t, on) => {
    const [rows, columns, theta] = [tensor(x, on), tensor(y, on), tensor(Math.log(1 / tau), on)].map(
      requireGradient,
    );
    const tensors = {
      groups: tensor(groups, {...on, dtype: 'int32'}),
      negatives: tensor(z, on),
      weights: tensor(weights, on),
    };
    const loss = contrastive(rows!, columns!, {
      ...options,
      temperature: theta!,
      ...(uses && {[uses]: tensors[uses]}),
    });
    backward(loss);
    const got = {
      loss: await loss.item(),
      dx: (await gradient(rows!)!.floats())[1 * 3 + 2]!,
      dy: (await gradient(columns!)!.floats())[3 * 3]!,
      dTheta: await gradient(theta!)!.item(),
    };
    for (const name of ['loss', 'dx', 'dy', 'dTheta'] as const)
      t.true(
        Math.abs(got[name] - golden[name]) <= tolerance(golden[name]),
        `${name}: got ${got[name]}, wanted ${golden[name]}`,
      );
    const given = {
      ...options,
      temperature: tau,
      ...(uses === 'groups' && {groups}),
      ...(uses === 'weights' && {weights}),
    };
    const reference = contrastiveLoss({x, y, negatives: uses === 'negatives' ? z : []}, given);
    t.true(Math.abs(reference - golden.loss) < 1e-12, `reference: got ${reference}, wanted ${golden.loss}`);
  });
