/**
 * The live page of a training run, served on this machine while the run goes on.
 *
 * @module crossmap/live
 */
export {serveRun, type RunPage, type ServeRunOptions} from './serve-run.js';
