/** What both sides of a training step agree on besides its sizes. bench/peers/llama.py has the same numbers. */

/** Of AdamW. */
export const adam = {beta1: 0.9, beta2: 0.95, eps: 1e-8};

/** Of a Llama-style model and a step of training it. */
export const recipe = {
  learningRate: 1e-4,
  /** Of matrices; norms have none. */
  weightDecay: 0.1,
  clipNorm: 1,
  /** Of matrices at the start; norms are 1. */
  weightStd: 0.02,
  normEps: 1e-5,
  ropeTheta: 10_000,
} as const;

/** Steps of which the losses are compared: the second follows from the gradients and the update of the first. */
export const comparedSteps = 3;

/** [tokens] ids, each entry of the vocabulary in its turn; `shift` 1 gives those that follow. */
export function tokenIds(tokens: number, vocab: number, shift = 0): Int32Array<ArrayBuffer> {
  return Int32Array.from({length: tokens}, (_, t) => ((t + shift) * 7919) % vocab);
}
