/**
 * Training: the run, its events, its checkpoints, and the models they hold.
 *
 * @module crossmap/train
 */
export {train, type TrainOptions} from './train.js';
export {loadModel, type LoadedModel, type LoadModelOptions} from './load-model.js';
export {
  exportFormats,
  exportModel,
  type ExportedModel,
  type ExportFormat,
  type ExportOptions,
} from './export-model.js';
export {importModel, type ImportedModel, type ImportOptions} from './import-model.js';
export type {ModelWorkOptions} from './model-work.js';
export {learningRateAt, type LearningRateOptions} from './schedule.js';
export {
  createOptimizer,
  type Optimizer,
  type Gradients,
  type OptimizerOptions,
  type UpdateOptions,
} from './optimizer.js';
export type {NamedTensors} from './tensor-files.js';
export type {Resume} from './resume.js';
export type * from './events.js';
