/**
 * Kernels alone: which sentence of one language is nearest to which of the other, from token vectors of any encoder.
 *
 * No model, no gradient, no tensor library of one's own: typed arrays go in, typed arrays come out.
 */
import {matmul, max, pool} from 'crossmap/ops';
import {scope, tensor} from 'crossmap/tensor';

const features = 64;

/** What an encoder gave: the vectors of all tokens, one sentence after the other. */
interface Encoded {
  /** [tokens, features] row-major. */
  readonly vectors: Float32Array;
  /** [sentences + 1] the first token of each sentence, then the number of tokens. */
  readonly starts: Int32Array;
}

/**
 * Cosines of all sentences of two languages, and for each sentence of the first the best of them.
 *
 * @returns cosines [sentences x, sentences y] row-major, best [sentences x]
 */
async function compare(
  x: Encoded,
  y: Encoded,
): Promise<{readonly cosines: Float32Array; readonly best: Float32Array}> {
  // Ops only enqueue work, so all of this takes microseconds; `scope` frees what is not returned.
  const {cosines, best} = scope(() => {
    const cosines = matmul(unitSentences(x), unitSentences(y), {transposeB: true});
    return {cosines, best: max(cosines, {axis: 'last'})};
  });
  // Here this thread waits, and the event loop stays free.
  const results = {cosines: await cosines.floats(), best: await best.floats()};
  cosines.dispose();
  best.dispose();
  return results;
}

/** [sentences, features] mean of the tokens of each sentence, at unit length. */
function unitSentences({vectors, starts}: Encoded) {
  // `transfer` takes the memory of the array instead of copying it; the array is empty afterwards.
  const tokens = tensor(vectors, {shape: [vectors.length / features, features], transfer: true});
  const from = tensor(starts.slice(0, -1));
  const to = tensor(starts.slice(1));
  return pool(tokens, from, to, {pooling: 'mean', normalize: true});
}

/** Stands for an encoder: token vectors that say which sentence they belong to, with noise of the language. */
function encode(sentences: number, noiseSeed: number): Encoded {
  const lengths = Array.from({length: sentences}, (_, sentence) => 3 + ((sentence * 7 + noiseSeed) % 5));
  const starts = Int32Array.from([0, ...lengths.map((_, i) => sum(lengths.slice(0, i + 1)))]);
  const vectors = new Float32Array(sum(lengths) * features);
  for (let sentence = 0; sentence < sentences; sentence++)
    for (let k = (starts[sentence] ?? 0) * features; k < (starts[sentence + 1] ?? 0) * features; k++)
      vectors[k] = Math.sin((sentence + 1) * ((k % features) + 1)) + 0.5 * Math.sin(noiseSeed * k * k);
  return {vectors, starts};
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const sentences = 20;
const {cosines, best} = await compare(encode(sentences, 1), encode(sentences, 2));
const found = Array.from(best, (cosine, i) => cosines.indexOf(cosine, i * sentences) - i * sentences);
console.log(`nearest: ${found.join(' ')}`);
console.log(`${found.filter((j, i) => j === i).length} of ${sentences} sentences find their translation`);
