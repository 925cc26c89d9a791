/** Where a run starts: anew, or from a checkpoint that fits its configuration. */
import type {Config} from '../config/index.js';
import {CrossmapError} from '../errors.js';
import {openCheckpoint, type Checkpoint} from './checkpoint.js';
import {findCheckpoint, listCheckpoints} from './checkpoint-list.js';
import {configDifferences, hashConfig, type ConfigDifference} from './fingerprint.js';
import {runFolder} from './run-folder.js';

/**
 * What becomes of an earlier run in the output folder: `auto` goes on from its newest checkpoint if it has one, `require` fails if
 * it has none, `never` removes what it left and starts anew.
 */
export type Resume = 'auto' | 'never' | 'require';

/** A checkpoint to go on from. */
interface Continuation {
  readonly checkpoint: Checkpoint;
  /** Options that differ from those of the checkpoint and change the training, as sentences. */
  readonly warnings: readonly string[];
}

/** Without these the weights and their moments have no meaning. */
const fixed = ['model', 'tokenizer', 'dtype', 'seed'];

/** Options that change what training computes. */
const training = ['training', 'objectives', 'data'];

/** Options of training that change nothing of what it computes. */
const harmless = [
  'checkpointEvery',
  'keepCheckpoints',
  'gradientNormsEvery',
  'activationCheckpointing',
  'graphs',
];

/**
 * The checkpoint that a run goes on from, or undefined where it starts anew.
 *
 * @throws ERR_CHECKPOINT where it is damaged or belongs to another model, with what differs, and where `require` finds none; ERR_IO
 */
export async function findContinuation(config: Config, resume: Resume): Promise<Continuation | undefined> {
  if (resume === 'never') return undefined;
  const newest = (await listCheckpoints(runFolder(config.output).checkpoints)).at(-1);
  if (newest === undefined && resume === 'auto') return undefined;
  const checkpoint = await openCheckpoint(newest?.path ?? (await findCheckpoint(config.output)));
  const isSame = checkpoint.configHash === hashConfig(config);
  const differences = isSame ? [] : configDifferences(checkpoint.config, config);
  refuseOtherModel(checkpoint, differences);
  if (checkpoint.step > config.training.steps)
    throw unfit(
      checkpoint,
      `it is at step ${checkpoint.step}, beyond training.steps (${config.training.steps})`,
    );
  const warnings = differences.filter(changesTraining).map(({path, before, after}) => {
    return `${path} was ${before} up to step ${checkpoint.step} and is ${after} from here on`;
  });
  return {checkpoint, warnings};
}

function refuseOtherModel(checkpoint: Checkpoint, differences: readonly ConfigDifference[]): void {
  const wrong = differences.filter(({path}) => isIn(path, fixed));
  if (wrong.length === 0) return;
  const told = wrong.map(({path, before, after}) => `${path} is ${before} there and ${after} here`);
  throw unfit(checkpoint, told.join('; '));
}

function unfit({path}: Checkpoint, what: string): CrossmapError {
  return new CrossmapError(
    'ERR_CHECKPOINT',
    `checkpoint ${path} does not fit the configuration: ${what}; change it back, train afresh, or choose another output`,
  );
}

function changesTraining({path}: ConfigDifference): boolean {
  return isIn(path, training) && !harmless.some((name) => path === `training.${name}`);
}

function isIn(path: string, sections: readonly string[]): boolean {
  return sections.some((section) => path === section || path.startsWith(`${section}.`));
}
