/** Sentence embeddings that come from elsewhere, in a safetensors file. */
import {CrossmapError} from '../errors.js';
import {readSafetensors, type SafetensorsFile, type SafetensorsInfo} from '../formats/index.js';
import {tensor} from '../tensor/index.js';
import type {EncodedPairs} from './encode-sentences.js';

/** Parallel sentences of several languages: sentence n of each is a translation of sentence n of the others. */
export interface Embeddings {
  /** Sorted. */
  readonly languages: readonly string[];
  /** Everything `alignPair` wants of two of the languages but the seed. @throws ERR_ARGUMENT for a language that is not there */
  pair(source: string, target: string): EncodedPairs;
}

/** Vectors of one language. */
interface LanguageVectors {
  /** Hidden states, from 0 on; each [sentences, features]. */
  readonly layers: readonly Float32Array[];
  readonly counts: readonly number[] | undefined;
}

/**
 * Reads embeddings. A tensor `<language>.<n>` holds hidden state n of the sentences of a language, from 0, the embedding, on; a tensor
 * `<language>` alone is for embeddings without layers. All are float32, bfloat16 or float16, [sentences, features]. `<language>.tokens`,
 * int32 or int64 [sentences], may say how many tokens each sentence has: what length alone explains is then left out of LAC.
 *
 * @throws ERR_FORMAT for a file that is none, or whose tensors are not as above or do not fit each other, with the tensor; ERR_IO
 */
export async function readEmbeddings(path: string): Promise<Embeddings> {
  const file = await readSafetensors(path);
  const fail = (message: string): CrossmapError => new CrossmapError('ERR_FORMAT', `${path}: ${message}`);
  const names = languageTensors(file, fail);
  const [sentences, features] = commonShape(file, [...names.values()].flat(), fail);
  const vectors = new Map<string, LanguageVectors>();
  for (const [language, own] of names)
    vectors.set(language, {
      layers: await Promise.all(own.map((name) => readFloats(file, name))),
      counts: await readCounts(file, `${language}.tokens`, {sentences, fail}),
    });
  return {
    languages: [...vectors.keys()].sort(),
    pair(source, target) {
      const [x, y] = [source, target].map((language) => {
        const found = vectors.get(language);
        if (found) return found;
        throw new CrossmapError(
          'ERR_ARGUMENT',
          `${path} has no language ${language}; it has ${[...vectors.keys()].sort().join(', ')}`,
        );
      });
      const layers =
        x?.layers.map((values, layer) => ({x: values, y: y?.layers[layer] ?? new Float32Array()})) ?? [];
      const counts = x?.counts && y?.counts ? {x: x.counts, y: y.counts} : undefined;
      return {source, target, layers, features, ...(counts && {counts})};
    },
  };
}

type Fail = (message: string) => CrossmapError;

/** Names of the tensors of each language, by hidden state. */
function languageTensors({tensors}: SafetensorsFile, fail: Fail): Map<string, string[]> {
  const byLanguage = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    if (name.endsWith('.tokens')) continue;
    const [, language = name, layer = '0'] = /^(.+)\.(\d+)$/.exec(name) ?? [];
    const own = byLanguage.get(language) ?? [];
    if (own[Number(layer)] !== undefined) throw fail(`${language} has hidden state ${layer} twice`);
    own[Number(layer)] = name;
    byLanguage.set(language, own);
  }
  if (byLanguage.size < 2)
    throw fail(
      `vectors of at least two languages are needed, as tensors en.0, en.1, ..., cs.0, cs.1, ...; there is ${[...tensors.keys()].join(', ') || 'nothing'}`,
    );
  for (const [language, own] of byLanguage)
    for (let layer = 0; layer < own.length; layer++)
      if (own[layer] === undefined)
        throw fail(`${language} lacks hidden state ${layer}: ${language}.${layer}`);
  if (new Set([...byLanguage.values()].map(({length}) => length)).size > 1)
    throw fail('all languages must have the same hidden states');
  return byLanguage;
}

/** [sentences, features] of all tensors. */
function commonShape(
  {tensors}: SafetensorsFile,
  names: readonly string[],
  fail: Fail,
): readonly [number, number] {
  const shapes = names.map((name) => ({name, info: tensors.get(name)}));
  const [first] = shapes;
  for (const {name, info} of shapes) {
    if (info === undefined || !isFloat(info))
      throw fail(`${name} must be float32, bfloat16 or float16; it is ${info?.dtype}`);
    if (info.shape.length !== 2 || info.shape.join() !== first?.info?.shape.join())
      throw fail(
        `${name} must be [sentences, features] like ${first?.name} [${first?.info?.shape.join(', ')}]; it is [${info.shape.join(', ')}]`,
      );
  }
  const [sentences = 0, features = 0] = first?.info?.shape ?? [];
  return [sentences, features];
}

function isFloat({dtype}: SafetensorsInfo): boolean {
  return dtype === 'float32' || dtype === 'bfloat16' || dtype === 'float16';
}

async function readFloats(file: SafetensorsFile, name: string): Promise<Float32Array> {
  const {buffer} = await file.read(name);
  const dtype = file.tensors.get(name)?.dtype;
  if (dtype !== 'bfloat16' && dtype !== 'float16') return new Float32Array(buffer);
  const bits = tensor(new Uint16Array(buffer), {dtype});
  try {
    return await bits.floats();
  } finally {
    bits.dispose();
  }
}

async function readCounts(
  file: SafetensorsFile,
  name: string,
  {sentences, fail}: {readonly sentences: number; readonly fail: Fail},
): Promise<number[] | undefined> {
  const info = file.tensors.get(name);
  if (info === undefined) return undefined;
  if ((info.dtype !== 'int32' && info.dtype !== 'int64') || info.shape.join() !== String(sentences))
    throw fail(
      `${name} must be int32 or int64 [${sentences}]; it is ${info.dtype} [${info.shape.join(', ')}]`,
    );
  const {buffer} = await file.read(name);
  return info.dtype === 'int32' ? [...new Int32Array(buffer)] : Array.from(new BigInt64Array(buffer), Number);
}
