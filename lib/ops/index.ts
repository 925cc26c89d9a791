export {attention, type AttentionOptions} from './attention.js';
