/** The live page of a training run. */
export {serveRun, type RunPage, type ServeRunOptions} from './serve-run.js';
