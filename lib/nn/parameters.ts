/** Parameters of a decoder: names, shapes, initial values. */
import type {Tensor} from '../tensor/index.js';

/** A tensor that training changes. It requires a gradient. */
export interface Parameter {
  /** As in a Hugging Face Llama checkpoint: `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  readonly tensor: Tensor;
  /** Whether weight decay applies: to matrices, not to norms and scalars. */
  readonly decays: boolean;
}
