/** The tape: gradients of what was computed by ops. */
export {backward} from './backward.js';
export {checkpoint} from './checkpoint.js';
export {customOp, type CustomOp} from './custom-op.js';
export {clearGradients, detach, gradient, noGrad, requireGradient, requiresGradient} from './leaf.js';
export {record, type Executed} from './record.js';
export {isRecording} from './tape.js';
