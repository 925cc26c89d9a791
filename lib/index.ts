/**
 * Errors and their codes, and the version. Everything else has a sub-path of its own, such as `crossmap/ops`.
 *
 * @module crossmap
 */
export * from './errors.js';
export {version} from './version.js';
