/** What options must be to each other. Runs on the completed configuration, after each option is right alone. */
import type {Config} from './config.js';
import {checkData} from './check-data.js';
import {checkModel} from './check-model.js';
import type {Complaint} from './messages.js';

export function check(config: Config, options: {readonly needsText: boolean}): Complaint[] {
  return [
    ...checkModel(config.model),
    ...checkData(config, options),
    ...checkObjectives(config),
    ...checkTraining(config),
  ];
}

function* checkObjectives({objectives, model, data}: Config): Generator<Complaint> {
  const {next, mapping, contrastive} = objectives;
  for (const layer of contrastive.layer)
    if (layer > model.layers)
      yield {
        path: ['objectives', 'contrastive', 'layer'],
        sentence: `objectives.contrastive.layer must be 1 to model.layers (${model.layers}); got ${layer}`,
      };
  if (next.weight + mapping.weight + contrastive.weight === 0)
    yield {path: ['objectives'], sentence: 'objectives: one weight at least must be above 0; all are 0'};
  if (mapping.prefix && mapping.sourceWeight > 0)
    yield {
      path: ['objectives', 'mapping', 'sourceWeight'],
      sentence: `objectives.mapping.sourceWeight must be 0 with objectives.mapping.prefix, where every source token sees the one it would predict; got ${mapping.sourceWeight}`,
    };
  if (data.parallel || !data.monolingual) return;
  for (const [name, {weight}] of Object.entries({mapping, contrastive}))
    if (weight > 0)
      yield {
        path: ['objectives', name, 'weight'],
        sentence: `objectives.${name}.weight is ${weight}, which needs sentence pairs: give data.parallel, or objectives.recipe: mono`,
      };
}

function* checkTraining({training, model, evaluation}: Config): Generator<Complaint> {
  const {steps, warmupSteps, tokensPerBatch, schedule, decayShare, clipNorm, explodingNorm} = training;
  if (warmupSteps >= steps)
    yield {
      path: ['training', 'warmupSteps'],
      sentence: `training.warmupSteps must be below training.steps (${steps}); got ${warmupSteps}`,
    };
  else if (schedule === 'wsd' && warmupSteps + decayShare * steps > steps)
    yield {
      path: ['training', 'decayShare'],
      sentence: `training.decayShare leaves no room for the warm-up: ${warmupSteps} + ${decayShare} x ${steps} exceeds training.steps (${steps})`,
    };
  if (tokensPerBatch < model.context)
    yield {
      path: ['training', 'tokensPerBatch'],
      sentence: `training.tokensPerBatch must be model.context (${model.context}) or more, so that the longest segment fits; got ${tokensPerBatch}`,
    };
  if (clipNorm !== 'off' && explodingNorm <= clipNorm)
    yield {
      path: ['training', 'explodingNorm'],
      sentence: `training.explodingNorm must be above training.clipNorm (${clipNorm}); got ${explodingNorm}`,
    };
  if (evaluation.pairs > 0 && evaluation.pairs < 8)
    yield {
      path: ['evaluation', 'pairs'],
      sentence: `evaluation.pairs must be 0, or 8 or more, for alignment is not defined on fewer; got ${evaluation.pairs}`,
    };
}
