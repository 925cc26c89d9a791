/** The objectives as the report names them, in its order. */
import type {ObjectiveLosses} from '../train/events.js';

export type Objective = keyof ObjectiveLosses;

export const objectiveNames: Readonly<Record<Objective, string>> = {
  next: 'Next token',
  mapping: 'Mapping',
  contrastive: 'Contrastive',
};

export const objectives: readonly Objective[] = ['next', 'mapping', 'contrastive'];
