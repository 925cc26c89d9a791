/** A document longer than the context, in overlapping pieces. */
import {textControls} from '../sampling/packer.js';

interface Window {
  readonly start: number;
  readonly end: number;
  /** First token that no window before has counted. */
  readonly counted: number;
}

/**
 * Windows that fit into a context with their control tokens, each half a context after the one before.
 *
 * @param length tokens of the document
 */
export function windows(length: number, context: number): Window[] {
  const size = context - textControls;
  const stride = Math.max(1, Math.floor(size / 2));
  const all: Window[] = [];
  for (let start = 0, counted = 0; counted < length; start += stride) {
    const end = Math.min(start + size, length);
    all.push({start, end, counted});
    counted = end;
  }
  return all;
}
