/** Ops: forward and backward on every device. */
export {rmsNorm, rmsNormResidual, type RmsNormOptions, type RmsNormResidual} from './rms-norm.js';
