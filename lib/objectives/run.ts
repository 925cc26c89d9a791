/** What every pass over a step works with. */
import type {Decoder} from '../nn/index.js';
import type {Tensor} from '../tensor/index.js';
import type {AlignmentOptions} from './alignment.js';
import type {ObjectivesConfig} from './step-plan.js';

/** The objectives of a run and the decoder that they train. */
export interface Run {
  readonly config: ObjectivesConfig;
  readonly decoder: Decoder;
  readonly alignment: AlignmentOptions;
}

/** float32 [] per objective, on the device; absent where the step held nothing for it, or its weight is 0. */
export interface ObjectiveTensors {
  /** Nats per target token; label smoothing and z-loss included. */
  readonly next?: Tensor;
  /** Nats per target token. */
  readonly mapping?: Tensor;
  /** Nats per pair. */
  readonly contrastive?: Tensor;
}
