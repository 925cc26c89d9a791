/** Comparison of results before they are timed. */
import type {Tensor} from '../../lib/tensor/index.js';

/**
 * Throws where elements differ by more than `tolerance` times the largest wanted magnitude.
 *
 * @param got freed afterwards
 */
export async function checkClose(got: Tensor, wanted: ArrayLike<number>, tolerance: number): Promise<void> {
  const elements = await got.floats();
  got.dispose();
  if (elements.length !== wanted.length)
    throw new Error(`the results have ${elements.length} and ${wanted.length} elements`);
  let largest = 0;
  let worst = 0;
  for (const [index, element] of elements.entries()) {
    const value = wanted[index] ?? NaN;
    largest = Math.max(largest, Math.abs(value));
    worst = Math.max(worst, Math.abs(element - value)); // NaN stays NaN, and is not below the bound
  }
  if (!(worst <= tolerance * largest))
    throw new Error(`the results differ by ${worst}, more than ${tolerance} of ${largest}`);
}
