/**
 * Ops on tensors: forward and backward, on every device.
 *
 * @module crossmap/ops
 */
export {adamw, type AdamwOptions} from './adamw.js';
export {attention, type AttentionOptions} from './attention.js';
export {cast} from './cast.js';
export {contrastive, type ContrastiveOptions} from './contrastive.js';
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
export {embedding} from './embedding.js';
export {clipScale, globalNorm} from './global-norm.js';
export {
  linearCrossEntropy,
  type LinearCrossEntropy,
  type LinearCrossEntropyOptions,
} from './linear-cross-entropy.js';
export {linear, matmul, type MatmulOptions} from './matmul.js';
export {pool, type PoolOptions} from './pool.js';
export {normal, uniform, type NormalOptions, type RandomOptions, type UniformOptions} from './random.js';
export {max, mean, sum, type ReduceOptions} from './reduce.js';
export {reshape} from './reshape.js';
export {rmsNorm, rmsNormResidual, type RmsNormOptions, type RmsNormResidual} from './rms-norm.js';
export {rotary, type RotaryOptions} from './rotary.js';
export {sliceRows} from './slice-rows.js';
export {logSoftmax, softmax} from './softmax.js';
export {swiglu} from './swiglu.js';
