/** A trained model, opened for use. */
import type {Config} from '../config/index.js';
import {loadTokenizer, type Tokenizer} from '../data/index.js';
import {createDecoder, type Decoder} from '../nn/index.js';
import {openCheckpoint} from './checkpoint.js';
import {findCheckpoint} from './checkpoint-list.js';
import {useDevice} from './device.js';

/** A model of a checkpoint. It owns its decoder until it is disposed of. */
export interface LoadedModel {
  /** The checkpoint. */
  readonly path: string;
  /** Steps that the model was trained for. */
  readonly step: number;
  /** Configuration of the run that trained it. */
  readonly config: Config;
  /** Of the data it was trained on: `identity` of prepared data. */
  readonly dataIdentity: string;
  /** With the weights of the checkpoint. */
  readonly decoder: Decoder;
  /** That it was trained with. */
  readonly tokenizer: Tokenizer;
  /** Frees the decoder. */
  dispose(): void;
  /** `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void;
}

/** Where and how a loaded model computes. */
export type LoadModelOptions = Partial<Pick<Config, 'device' | 'threads'>>;

/**
 * Opens the model of a checkpoint, or of the newest checkpoint of a run.
 *
 * @param folder a checkpoint, or the output folder of a run
 * @param options default `auto` for both
 * @throws ERR_CHECKPOINT where there is none, or it is damaged or incomplete, with what is wrong; ERR_DATA for its tokenizer; ERR_DEVICE,
 *   ERR_OUT_OF_MEMORY, ERR_IO
 */
export async function loadModel(
  folder: string,
  {device = 'auto', threads = 'auto'}: LoadModelOptions = {},
): Promise<LoadedModel> {
  const checkpoint = await openCheckpoint(await findCheckpoint(folder), {use: 'model'});
  const {path, step, config, dataIdentity} = checkpoint;
  const tokenizer = await loadTokenizer(checkpoint.tokenizerFile);
  const decoder = createDecoder(
    {...config.model, vocabSize: tokenizer.vocabSize},
    {seed: config.seed, dtype: config.dtype, device: useDevice({device, threads})},
  );
  const dispose = (): void => decoder.dispose();
  try {
    await checkpoint.readWeights(new Map(decoder.parameters.map(({name, tensor}) => [name, tensor])));
  } catch (error) {
    dispose();
    throw error;
  }
  return {path, step, config, dataIdentity, decoder, tokenizer, dispose, [Symbol.dispose]: dispose};
}
