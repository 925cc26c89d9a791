/** Recordings of steps, by what they have in common. */
import {withGradientsIn} from '../autograd/leaf.js';
import {freeingTape} from '../autograd/tape.js';
import {owned} from '../nn/parameters.js';
import type {PreparedStep, StepData} from '../objectives/index.js';
import {captured, empty, emptyCache, type Captured, type Device, type Tensor} from '../tensor/index.js';
import {enqueueStep, type ComputedStep, type StepParts, type StepOutput} from './computed-step.js';
import type {Gradients} from './optimizer.js';

/** The recordings of a run. */
interface RecordedSteps {
  /**
   * Enqueues the recording of steps like this one, on the numbers of this one. What it computes holds until the next replay.
   *
   * @returns undefined where there is none yet: a signature is recorded when it is met a second time, for most of those that are met
   *   once are never met again
   * @throws ERR_OUT_OF_MEMORY; what the ops throw
   */
  replay(prepared: PreparedStep): ComputedStep | undefined;
  /** Frees all recordings, and what they computed. */
  dispose(): void;
}

/** A step that is recorded, and the data that it reads. */
interface Recording {
  readonly data: StepData;
  readonly ops: Captured<Omit<StepOutput, 'gradients'>>;
  readonly gradients: Gradients;
  dispose(): void;
}

/** Recordings that are kept. Batches are filled up to common sizes, so a run has few signatures. */
const mostRecordings = 4;

/** Signatures that are remembered. */
const mostMet = 256;

/**
 * Recordings take turns on the same device memory, and leave gradients in the same place, at the price of one copy of each: several
 * need hardly more than the largest of them.
 */
export function createRecordedSteps(parts: StepParts, device: Device): RecordedSteps {
  const leaves = parts.parameters.map(({tensor}) => tensor);
  const met = new Set<string>();
  const recordings = new Map<string, Recording>(); // the latest used last
  const rooms: Tensor[] = []; // [leaves] for their gradients

  const record = (prepared: PreparedStep): Recording => {
    const [[oldest, evicted] = []] = recordings;
    if (oldest !== undefined && recordings.size === mostRecordings) {
      recordings.delete(oldest);
      evicted?.dispose();
    }
    // A recording has memory that nothing else is given: what steps before it have left in the cache is to become that.
    emptyCache(device);
    for (const {shape} of leaves.slice(rooms.length)) rooms.push(owned(() => empty(shape, {device})));
    const [sharing] = recordings.values();
    return recordStep(parts, prepared, {leaves, rooms, sharing});
  };
  return {
    replay(prepared) {
      const {signature, data} = prepared;
      const known = recordings.get(signature);
      if (known === undefined && !met.has(signature)) {
        if (met.size === mostMet) met.clear();
        met.add(signature);
        return undefined;
      }
      const recording = known ?? record(prepared);
      recordings.delete(signature);
      recordings.set(signature, recording);
      recording.data.int32.copyFrom(data.int32);
      recording.data.float32.copyFrom(data.float32);
      recording.ops.replay();
      return {...recording.ops.result, gradients: recording.gradients, dispose: () => undefined};
    },
    dispose() {
      for (const recording of recordings.values()) recording.dispose();
      recordings.clear();
      for (const room of rooms.splice(0)) room.dispose();
    },
  };
}

interface Places {
  readonly leaves: readonly Tensor[];
  /** [leaves] for their gradients. */
  readonly rooms: readonly Tensor[];
  /** A recording whose memory the new one uses too. */
  readonly sharing: Recording | undefined;
}

function recordStep(parts: StepParts, prepared: PreparedStep, {leaves, rooms, sharing}: Places): Recording {
  const own: Tensor[] = [];
  const like = ({shape, dtype, device}: Tensor): Tensor => {
    const made = owned(() => empty(shape, {dtype, device}));
    own.push(made);
    return made;
  };
  const freeOwn = (): void => {
    for (const tensor of own) tensor.dispose();
  };
  let gradients: Gradients = [];
  try {
    const data = {int32: like(prepared.data.int32), float32: like(prepared.data.float32)};
    const ops = captured(
      [...leaves, ...rooms, data.int32, data.float32],
      () =>
        withGradientsIn(leaves, rooms, () => {
          const step = freeingTape(() => enqueueStep(parts, prepared, data));
          ({gradients} = step);
          return {loss: step.loss, losses: step.losses, norm: step.norm};
        }),
      sharing && {sharing: sharing.ops},
    );
    const dispose = (): void => {
      ops.dispose();
      freeOwn();
    };
    return {data, ops, gradients, dispose};
  } catch (error) {
    freeOwn();
    throw error;
  }
}
