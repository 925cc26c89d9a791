/** Token embedding. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/**
 * Rows of a table: `y[t] = table[tokens[t]]`.
 *
 * @param table [vocab, features], float32, float16 or bfloat16; its gradient is float32, summed in the order of the tokens
 * @param tokens [tokens] int32, from 0 to vocab, left out
 * @returns [tokens, features], dtype of `table`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED; ERR_INDEX at the next synchronisation for a token id outside of the table,
 *   whose row is zeros
 */
export function embedding(table: Tensor, tokens: Tensor): Tensor {
  const [vocab = 0] = table.shape;
  const [output] = record('embedding', {
    inputs: [table],
    outputs: [native.embedding(table.native, tokens.native)],
    saved: [tokens.native],
    backward: ([dy], [savedTokens]) => [native.embeddingBackward(dy, savedTokens, vocab)],
  });
  return output;
}
