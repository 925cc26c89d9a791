/** Shapes in messages. */

/** Sizes that are shown. */
const mostShown = 16;

/** `[2, 3]`, and of a long one the beginning: the length of an array costs nothing, its text does. */
export function shapeText(shape: readonly number[]): string {
  const shown = shape
    .slice(0, mostShown)
    .map((size) => (typeof size === 'number' ? String(size) : typeof size));
  const rest = shape.length - shown.length;
  return `[${shown.join(', ')}${rest > 0 ? `, ... and ${rest} more` : ''}]`;
}
