/** Held-out sentences as the model translates them. */
import {translationPrompt, type HeldOutPairs} from '../data/index.js';
import {generateAll} from '../nn/index.js';
import type {ModelUnderTest} from './evaluate-model.js';
import type {SampleTranslation} from './results.js';

interface Prompted extends Omit<SampleTranslation, 'output'> {
  readonly prompt: Int32Array;
}

/**
 * The first `evaluation.samples` sentences of each direction that fit into the context, translated greedily. Empty where the model is
 * not trained to translate.
 *
 * @throws ERR_ABORTED
 */
export async function sampleTranslations(model: ModelUnderTest): Promise<SampleTranslation[]> {
  const {decoder, tokenizer, heldOut, config, signal} = model;
  if (config.objectives.mapping.weight === 0 || config.evaluation.samples === 0) return [];
  const prompted: Prompted[] = [];
  for (const pairs of heldOut.pairs)
    for (const direction of [pairs, reversed(pairs)]) prompted.push(...(await prompts(model, direction)));
  if (prompted.length === 0) return [];
  const outputs = await generateAll(
    decoder,
    prompted.map(({prompt}) => prompt),
    {
      maxNewTokens: prompted.map(({prompt}) =>
        longestTranslation(prompt.length, config.evaluation.maxNewTokens),
      ),
      stopTokens: [tokenizer.eos],
      prefix: config.objectives.mapping.prefix,
      ...(signal && {signal}),
    },
  );
  return Promise.all(
    prompted.map(async ({prompt: _, ...sample}, index) => ({
      ...sample,
      output: await tokenizer.decode(outputs[index] ?? []),
    })),
  );
}

/** METHOD section 5: at most 2 x source tokens + 20. */
function longestTranslation(promptTokens: number, maxNewTokens: number): number {
  return Math.min(maxNewTokens, 2 * promptTokens + 20);
}

function reversed({source, target, sources, targets}: HeldOutPairs): HeldOutPairs {
  return {source: target, target: source, sources: targets, targets: sources};
}

async function prompts(
  {decoder, tokenizer, config}: ModelUnderTest,
  {source, target, sources, targets}: HeldOutPairs,
): Promise<Prompted[]> {
  const found: Prompted[] = [];
  for (const [index, input] of sources.entries()) {
    if (found.length === config.evaluation.samples) break;
    const prompt = await translationPrompt(tokenizer, {source, target, text: input});
    if (prompt.length < decoder.shape.context)
      found.push({source, target, input, reference: targets[index] ?? '', prompt});
  }
  return found;
}
