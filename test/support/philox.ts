/** Philox in whole numbers, which random numbers are compared with, and the distribution that `normal` claims. */

type Words = readonly [number, number, number, number];

/** Philox 4x32-10 as in the paper, figure 2. */
export function philox(counter: Words, [k0, k1]: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let key = [BigInt(k0), BigInt(k1)] as const;
  const low = (product: bigint): bigint => product & 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ key[0], low(b), (a >> 32n) ^ c3 ^ key[1], low(a)];
    key = [low(key[0] + 0x9e3779b9n), low(key[1] + 0xbb67ae85n)];
  }
  return [Number(c0), Number(c1), Number(c2), Number(c3)];
}

/** Low and high 32 bits of a whole number. */
function halves(value: number): readonly [number, number] {
  return [value % 2 ** 32, Math.floor(value / 2 ** 32)];
}

/** The word that element `index` is made of. */
export function wordOf(index: number, seed: number, offset: number): number {
  const words = philox([...halves(Math.floor(index / 4)), ...halves(offset)], halves(seed));
  return words[index % 4]!;
}

/** Share of the normal distribution below z: Marsaglia's series, whose terms stay small enough for float64 up to |z| = 6. */
export function normalShare(z: number): number {
  let term = z;
  let sum = z;
  for (let n = 3; Math.abs(term) > 1e-17; n += 2) {
    term *= (z * z) / n;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}
