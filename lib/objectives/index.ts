/**
 * The objectives of training: next token, mapping, contrastive alignment, and their weighted sum.
 *
 * @module crossmap/objectives
 */
export {
  createObjectives,
  type Objectives,
  type StepFacts,
  type StepLosses,
  type StepResult,
} from './objectives.js';
export type {GradientNorms} from './gradient-norms.js';
export type {ObjectiveTensors} from './run.js';
export type {PreparedStep} from './prepared-step.js';
export type {StepData} from './step-data.js';
export type {ObjectiveName, ObjectivesConfig, StepPlan, TokenObjective} from './step-plan.js';
