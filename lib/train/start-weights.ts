/** The weights that a run starts from, where they are those of another run. */
import type {Config} from '../config/index.js';
import type {PreparedData} from '../data/index.js';
import {CrossmapError} from '../errors.js';
import {openCheckpoint, type Checkpoint} from './checkpoint.js';
import {findCheckpoint} from './checkpoint-list.js';
import {configDifferences, fingerprintOf} from './fingerprint.js';

/** A checkpoint to take the weights of. */
interface StartWeights {
  readonly start: Checkpoint;
  /** What its user should know, as sentences. */
  readonly warnings: readonly string[];
}

/**
 * The checkpoint that `training.from` names; undefined where it names none.
 *
 * @throws ERR_CHECKPOINT where there is none, it is damaged, or its tokenizer is another than that of the data; ERR_IO
 */
export async function findStartWeights(
  {training: {from}, model}: Config,
  {tokenizer, identity}: PreparedData,
): Promise<StartWeights | undefined> {
  if (from === undefined) return undefined;
  const start = await openCheckpoint(await findCheckpoint(from), {use: 'model'});
  const [theirs, ours] = await Promise.all([
    fingerprintOf(start.tokenizerFile),
    fingerprintOf(tokenizer.file),
  ]);
  if (theirs.sha256 !== ours.sha256)
    throw new CrossmapError(
      'ERR_CHECKPOINT',
      `training.from: ${start.path} has another tokenizer than the data; set tokenizer.file to ${start.tokenizerFile}`,
    );
  const isSameText = start.dataIdentity === identity;
  const otherText =
    'the weights of training.from were trained on other data: what is held out here may be among it';
  return {start, warnings: [...(isSameText ? [] : [otherText]), ...otherOptions(start.config.model, model)]};
}

/** Options of the model that no shape of a tensor tells. The context decides nothing but what is read. */
function otherOptions(before: Config['model'], now: Config['model']): string[] {
  return configDifferences({...before, context: 0}, {...now, context: 0}).map(
    ({path, before: theirs, after: ours}) =>
      `model.${path} is ${ours}, where the weights of training.from were trained with ${theirs}`,
  );
}
