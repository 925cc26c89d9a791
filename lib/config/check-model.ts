/** What the options of the model must be to each other. */
import type {Config} from './config.js';
import type {Complaint} from './messages.js';

export function* checkModel(model: Config['model']): Generator<Complaint> {
  yield* checkHeads(model);
  for (const layer of model.slidingWindow?.layers ?? [])
    if (layer > model.layers)
      yield {
        path: ['model', 'slidingWindow', 'layers'],
        sentence: `model.slidingWindow.layers must be 1 to model.layers (${model.layers}); got ${layer}`,
      };
  const scaling = model.ropeScaling;
  if (scaling?.type === 'llama3' && scaling.highFrequencyFactor <= scaling.lowFrequencyFactor)
    yield {
      path: ['model', 'ropeScaling', 'highFrequencyFactor'],
      sentence: `model.ropeScaling.highFrequencyFactor must be above lowFrequencyFactor (${scaling.lowFrequencyFactor}); got ${scaling.highFrequencyFactor}`,
    };
  if (scaling?.type === 'yarn' && scaling.betaFast <= scaling.betaSlow)
    yield {
      path: ['model', 'ropeScaling', 'betaFast'],
      sentence: `model.ropeScaling.betaFast must be above betaSlow (${scaling.betaSlow}); got ${scaling.betaFast}`,
    };
}

function* checkHeads({features, heads, kvHeads, headDim}: Config['model']): Generator<Complaint> {
  if (heads % kvHeads !== 0)
    yield {
      path: ['model', 'kvHeads'],
      sentence: `model.kvHeads must divide model.heads (${heads}); got ${kvHeads}`,
    };
  if (!Number.isInteger(headDim)) {
    yield {
      path: ['model', 'features'],
      sentence: `model.features must be a multiple of model.heads (${heads}), or model.headDim be given; got ${features}`,
    };
    return;
  }
  if (headDim % 2 !== 0)
    yield {
      path: ['model', 'headDim'],
      sentence: `model.headDim must be even, for rotary embedding turns features in twos; got ${headDim}`,
    };
  if (headDim > 256)
    yield {path: ['model', 'headDim'], sentence: `model.headDim must be 256 or less; got ${headDim}`};
}
