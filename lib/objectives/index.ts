/** The objectives of training: next token, mapping, contrastive alignment, and their weighted sum. */
export {createObjectives, type Objectives, type ObjectiveTensors, type StepResult} from './objectives.js';
export type {PreparedStep} from './prepared-step.js';
export type {ObjectivesConfig} from './step-plan.js';
