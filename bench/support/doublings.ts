/** `from`, twice that, and so on up to `to`. */
export function doublings(from: number, to: number): readonly number[] {
  return Array.from({length: Math.floor(Math.log2(to / from) + 1e-9) + 1}, (_, power) => from * 2 ** power);
}
