/** Ops on tensors, each with its gradient. */
export {adamw, type AdamwOptions} from './adamw.js';
export {cast} from './cast.js';
export {
  add,
  clamp,
  divide,
  exp,
  gelu,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  relu,
  scale,
  sigmoid,
  silu,
  sqrt,
  square,
  subtract,
  tanh,
  type ClampOptions,
} from './elementwise.js';
export {clipScale, globalNorm} from './global-norm.js';
export {max, mean, sum, type ReduceOptions} from './reduce.js';
export {reshape} from './reshape.js';
export {sliceRows} from './slice-rows.js';
