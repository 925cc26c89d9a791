/** Ops on tensors: forward and backward, on every device. */
export {attention, type AttentionOptions} from './attention.js';
/** Ops: forward and backward on every device. */
export {embedding} from './embedding.js';
export {normal, uniform, type NormalOptions, type RandomOptions, type UniformOptions} from './random.js';
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
export {rmsNorm, rmsNormResidual, type RmsNormOptions, type RmsNormResidual} from './rms-norm.js';
export {sliceRows} from './slice-rows.js';
export {attention, type AttentionOptions} from './attention.js';
/** Operations on tensors, each with its gradient. */
export {contrastive, type ContrastiveOptions} from './contrastive.js';
export {pool, type PoolOptions} from './pool.js';
export {rotary, type RotaryOptions} from './rotary.js';
export {swiglu} from './swiglu.js';
