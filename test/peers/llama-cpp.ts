/** llama.cpp, by node-llama-cpp, where `npm run test:peers` has installed it. Types are ours: the build must not need the package. */
import {existsSync} from 'node:fs';
import {fileURLToPath, pathToFileURL} from 'node:url';

const entry = fileURLToPath(
  new URL('../../../test/peers/node_modules/node-llama-cpp/dist/index.js', import.meta.url), // from dist/test/peers
);

interface Sequence {
  evaluate(tokens: readonly number[], options: {temperature: number}): AsyncGenerator<number>;
  controlledEvaluate(
    input: readonly (readonly [number, object])[],
  ): Promise<readonly {next: {probabilities: ReadonlyMap<number, number>}}[]>;
}

interface Context {
  getSequence(): Sequence;
  dispose(): Promise<void>;
}

interface Model {
  tokenize(text: string, parsesControls: boolean): number[];
  createContext(options: object): Promise<Context>;
  dispose(): Promise<void>;
}

interface Library {
  getLlama(options: object): Promise<{loadModel(options: object): Promise<Model>}>;
}

/** A model that llama.cpp runs on the CPU. */
export interface LlamaModel {
  /** Ids of a text; with `parsesControls` the names of control tokens in it become them. */
  tokenize(text: string, parsesControls?: boolean): number[];
  /** [tokens][vocab] logarithms of the probabilities of what follows each token. */
  logProbabilities(tokens: readonly number[]): Promise<Float64Array[]>;
  /** The most probable continuation, `count` tokens at most. */
  continuation(tokens: readonly number[], count: number): Promise<number[]>;
  dispose(): Promise<void>;
}

/** Why there is no llama.cpp here, or undefined. */
export const whyNoLlamaCpp = existsSync(entry)
  ? undefined
  : 'node-llama-cpp is not installed: npm run test:peers, on 64-bit Linux';

let library: Promise<{loadModel(options: object): Promise<Model>}> | undefined;

/** Opens a GGUF file. Keys and values are kept in float32, where llama.cpp would take float16. */
export async function openLlamaModel(
  path: string,
  {context, vocabOnly = false}: {readonly context: number; readonly vocabOnly?: boolean},
): Promise<LlamaModel> {
  // One thread: those of ggml wait for each other in loops, which takes seconds on a machine with other work.
  library ??= (import(pathToFileURL(entry).href) as Promise<Library>).then(({getLlama}) =>
    getLlama({gpu: false, build: 'never', logLevel: 'disabled', progressLogs: false, maxThreads: 1}),
  );
  const model = await (await library).loadModel({modelPath: path, vocabOnly});
  const inNewSequence = async <T>(work: (sequence: Sequence) => Promise<T>): Promise<T> => {
    const opened = await model.createContext({
      contextSize: context,
      batchSize: context,
      threads: 1,
      flashAttention: false,
      experimentalKvCacheKeyType: 'F32',
      experimentalKvCacheValueType: 'F32',
    });
    try {
      return await work(opened.getSequence());
    } finally {
      await opened.dispose();
    }
  };
  return {
    tokenize: (text, parsesControls = false) => model.tokenize(text, parsesControls),
    logProbabilities: (tokens) =>
      inNewSequence(async (sequence) => {
        const options = {temperature: 1, topK: 0, topP: 1, minP: 0};
        const asked = tokens.map((token) => [token, {generateNext: {probabilities: true, options}}] as const);
        return (await sequence.controlledEvaluate(asked)).map(({next}) => logarithms(next.probabilities));
      }),
    continuation: (tokens, count) =>
      inNewSequence(async (sequence) => {
        const found: number[] = [];
        for await (const token of sequence.evaluate(tokens, {temperature: 0})) {
          found.push(token);
          if (found.length === count) break;
        }
        return found;
      }),
    dispose: () => model.dispose(),
  };
}

function logarithms(probabilities: ReadonlyMap<number, number>): Float64Array {
  return Float64Array.from({length: probabilities.size}, (_, id) => Math.log(probabilities.get(id) ?? NaN));
}
