/**
 * How well two languages line up, as a library call: LAC of vectors of one's own, and of one's own sentences in a model
 * that crossmap has trained.
 *
 *     node alignment.js                                    vectors that are made up here
 *     node alignment.js runs/train en cs sentences.tsv     a run, and a translated sentence per line, with a tab between
 */
import {readFile} from 'node:fs/promises';
import {alignPair, encodePairs, lac, type PairAlignment} from 'crossmap/eval';
import {loadModel} from 'crossmap/train';

/**
 * LAC of hidden states that you have: of any model, pooled in any way, as long as it is the same for both languages.
 *
 * @param layers vectors of each hidden state, [sentences, features] row-major; sentence n of y is the translation of that of x
 */
function alignVectors(
  layers: readonly {readonly x: Float32Array; readonly y: Float32Array}[],
  features: number,
) {
  return alignPair({source: 'en', target: 'cs', layers, features, seed: 1, draws: 200});
}

/** LAC of sentences of yours, at each hidden state of a trained model. */
async function alignSentences(
  run: string,
  source: string,
  target: string,
  file: string,
): Promise<PairAlignment> {
  const pairs = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const [sources, targets] = [0, 1].map((side) => pairs.map((pair) => pair[side] ?? ''));
  const {decoder, tokenizer, config, dispose} = await loadModel(run);
  try {
    const encoded = await encodePairs(
      decoder,
      tokenizer,
      {source, target, sources: sources ?? [], targets: targets ?? []},
      {tokensPerBatch: config.training.tokensPerBatch, prefix: config.objectives.mapping.prefix},
    );
    return alignPair({...encoded, seed: 1, draws: 200});
  } finally {
    dispose();
  }
}

/** Vectors of translated sentences: a meaning in common, in a space that each language turns and shifts; more alike layer by layer. */
function madeUpLayers(sentences: number, features: number) {
  return [4, 1, 0.3].map((noise) => {
    const vectors = (seed: number): Float32Array =>
      Float32Array.from({length: sentences * features}, (_, k) => {
        const meaning = Math.sin(12.9898 * (k + 1) ** 1.3);
        return meaning + noise * Math.sin(78.233 * (k + 1) ** 1.3 * seed) + 3 * seed; // the shift costs nothing
      });
    return {x: vectors(1), y: vectors(2)};
  });
}

function print({pairs, lacByLayer, intervalByLayer, precisionAt1, flags}: PairAlignment): void {
  for (const [layer, value] of lacByLayer.entries()) {
    const [low, high] = intervalByLayer[layer] ?? [NaN, NaN];
    const [found] = precisionAt1[layer] ?? [NaN];
    console.log(
      `hidden state ${layer}: LAC ${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}], precision@1 ${found.toFixed(2)}`,
    );
  }
  console.log([`of ${pairs} pairs`, ...flags].join(', '));
}

const [run, source, target, file] = process.argv.slice(2);
if (run !== undefined && source !== undefined && target !== undefined && file !== undefined)
  print(await alignSentences(run, source, target, file));
else {
  const features = 24;
  const layers = madeUpLayers(60, features);
  print(alignVectors(layers, features));
  // One hidden state, without intervals.
  const last = layers.at(-1);
  if (last) console.log(`closeness ${lac(last, {features}).closeness.toFixed(2)}`);
}
