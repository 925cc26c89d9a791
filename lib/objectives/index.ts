/** The objectives of training: next token, mapping, contrastive alignment, and their weighted sum. */
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
export type {ObjectivesConfig, StepPlan} from './step-plan.js';
