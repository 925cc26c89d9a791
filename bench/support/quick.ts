/** `--quick`: a run that shows that the benches work, with small sizes and few samples. Its times mean nothing. */
export const isQuick = process.argv.includes('--quick');

/** The size of a bench, or a small one for a quick run. */
export function sized<Size>(full: Size, small: Size): Size {
  return isQuick ? small : full;
}
