/** Ops: forward and backward on every device. */
export {rmsNorm, rmsNormResidual, type RmsNormOptions, type RmsNormResidual} from './rms-norm.js';
/** Ops on tensors, each with its gradient. */
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
export {reshape} from './reshape.js';
export {sliceRows} from './slice-rows.js';
export {attention, type AttentionOptions} from './attention.js';
