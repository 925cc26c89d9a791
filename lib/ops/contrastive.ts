/** Contrastive alignment of pairs of embeddings. */
import {record} from '../autograd/index.js';
import {native, type NativeTensor} from '../native.js';
import {Tensor} from '../tensor/index.js';

/** Options of `contrastive`. */
export interface ContrastiveOptions {
  /**
   * tau > 0; or theta = log(1 / tau) as a float32 tensor [], which gets a gradient: 1 / tau = min(e^theta, 100), so where e^theta
   * exceeds 100 the gradient of theta is 0. Default 0.05.
   */
  readonly temperature?: number | Tensor;
  /** Taken from the cosines of positives before they are divided by tau. Default 0. */
  readonly margin?: number;
  /**
   * [pairs] int32: pairs with the same id have the same text on either side. An id below 0 is that of no pair, with every `groupMode`:
   * loss and gradients are those of the call without its rows, whatever they and its weight hold, and its own gradients are 0. So
   * steps with fewer pairs can be padded to one shape. Where no pair is left the loss is 0. Default: each pair is a group of its own.
   */
  readonly groups?: Tensor;
  /**
   * What the other pairs of a group are to a pair: `mask` neither positives nor negatives, `positives` positives too, with equal
   * shares, `none` negatives as any other. Default `mask`.
   */
  readonly groupMode?: 'mask' | 'positives' | 'none';
  /** `cross`: negatives come from the other language; `both`: also from the own. Default `cross`. */
  readonly scope?: 'cross' | 'both';
  /** Leaves out negatives whose cosine exceeds that of the own pair by more than this. Default: none are left out. */
  readonly threshold?: number;
  /** [negatives, features], dtype of `x`: further negatives of every row and column. */
  readonly negatives?: Tensor;
  /** [pairs] float32: weight of each pair in the mean, 0 or more, not 0 for all that are pairs. Default 1 each. */
  readonly weights?: Tensor;
  /** Only from `x` to `y`: the mean over rows alone, instead of half of it and half of that over columns. Default false. */
  readonly oneDirectional?: boolean;
}

/**
 * Symmetric InfoNCE: each `x[i]` is to be told by its cosine from all `y` as nearest to `y[i]`, and the other way round.
 * `loss = mean_i (lse_j(cos(x_i, y_j) / tau) - cos(x_i, y_i) / tau)`, averaged over both directions. Scores live in tiles: memory is
 * linear in pairs. Which negatives are left out (groups, threshold) is a constant to the gradient. A row of zeros has cosine 0 with
 * everything and gradient 0.
 *
 * @param x [pairs, features], float32, bfloat16 or float16; at least 1 pair, and a single pair without further negatives has loss 0
 * @param y [pairs, features], dtype of `x`
 * @returns [] float32
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT; ERR_ARGUMENT at the next synchronisation, where a pair's weight is
 *   negative or not finite, or those of all pairs are 0
 * @see Wu et al. 2025, arXiv:2507.14239, for contrastive alignment of languages; van den Oord et al. 2018, arXiv:1807.03748,
 *   equation 4, for InfoNCE; Khosla et al. 2020, arXiv:2004.11362, equation 2, for `positives`
 */
export function contrastive(x: Tensor, y: Tensor, options: ContrastiveOptions = {}): Tensor {
  const {
    temperature = 0.05,
    margin = 0,
    groupMode = 'mask',
    scope = 'cross',
    oneDirectional = false,
  } = options;
  const numbers = {
    ...(typeof temperature === 'number' && {temperature}),
    margin,
    groupMode,
    scope,
    oneDirectional,
    ...(options.threshold !== undefined && {threshold: options.threshold}),
  };
  const theta = temperature instanceof Tensor ? temperature : undefined;
  const {negatives, groups, weights} = options;
  const given = Object.entries({theta, negatives, groups, weights}).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [{name, tensor}],
  );
  const withTensors = (handles: readonly NativeTensor[]) => ({
    ...numbers,
    ...Object.fromEntries(given.map(({name}, index) => [name, handles[index]])),
  });
  const handles = given.map(({tensor}) => tensor.native);
  const {loss, statistics, inverseNorms} = native.contrastive(x.native, y.native, withTensors(handles));
  const optionalInputs = [theta, negatives].filter((tensor) => tensor !== undefined);
  const [output] = record('contrastive', {
    inputs: [x, y, ...optionalInputs],
    outputs: [loss],
    saved: [x.native, y.native, ...handles],
    owned: [statistics, inverseNorms],
    backward: ([dLoss], [keptX, keptY, ...kept], [wantsX = false, wantsY = false, ...wants]) => {
      if (dLoss === undefined) return [];
      const wanted = {
        x: wantsX,
        y: wantsY,
        theta: theta !== undefined && wants[0] === true,
        negatives: negatives !== undefined && wants.at(-1) === true,
      };
      const {dx, dy, dTheta, dNegatives} = native.contrastiveBackward(
        dLoss,
        keptX,
        keptY,
        statistics,
        inverseNorms,
        withTensors(kept),
        wanted,
      );
      return [dx, dy, ...(theta ? [dTheta] : []), ...(negatives ? [dNegatives] : [])];
    },
  });
  return output;
}
