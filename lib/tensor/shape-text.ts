/** Shapes in messages. */

/** Sizes that are shown. */
const mostShown = 16;

/** `[2, 3]`, and of a long one the beginning: the length of an array costs nothing, its text does. */
export function shapeText(shape: readonly number[]): string {
  const sizes = Array.from(shape.slice(0, mostShown), textOf);
  const rest = shape.length - sizes.length;
  return `[${sizes.join(', ')}${rest > 0 ? `, ... and ${rest} more` : ''}]`;
}

/** What is no number, as it comes from JavaScript, is told by its type: its text may be longer than a string can be. */
function textOf(size: unknown): string {
  return typeof size === 'number' ? String(size) : typeof size;
}
