/**
 * The tape: gradients of what was computed by ops.
 *
 * @module crossmap/autograd
 */
export {backward} from './backward.js';
export {checkpoint} from './checkpoint.js';
export {customOp, type CustomOp, type Kept} from './custom-op.js';
export {clearGradients, detach, gradient, noGrad, requireGradient, requiresGradient} from './leaf.js';
export {record, type Executed} from './record.js';
export {isRecording} from './tape.js';
