/** Ops on tensors, each with its gradient. */
export {cast} from './cast.js';
export {reshape} from './reshape.js';
export {sliceRows} from './slice-rows.js';
