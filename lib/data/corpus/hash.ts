/** Texts as numbers: what tells them apart without keeping them. */

/**
 * 53 bits of a text, as a whole number from 0: equal for equal text on every machine. Among ten million texts the chance that any
 * two share a number is below one per cent.
 *
 * @param seed 32 bits; keeps apart the uses that one text has
 * @see bryc 2018, cyrb53: two multiplicative hashes with the finaliser of MurmurHash3
 */
export function hashText(text: string, seed = 0): number {
  let low = 0xdeadbeef ^ seed;
  let high = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 2654435761);
    high = Math.imul(high ^ unit, 1597334677);
  }
  return finish(low, high);
}

/** 53 bits of two numbers of 53 bits; the order counts. */
export function hashNumbers(first: number, second: number, seed = 0): number {
  let low = 0xdeadbeef ^ seed;
  let high = 0x41c6ce57 ^ seed;
  for (const value of [first, second])
    for (const half of [value >>> 0, Math.floor(value / 2 ** 32)]) {
      low = Math.imul(low ^ half, 2654435761);
      high = Math.imul(high ^ half, 1597334677);
      low = (low << 13) | (low >>> 19);
    }
  return finish(low, high);
}

function finish(low: number, high: number): number {
  let a = Math.imul(low ^ (low >>> 16), 2246822507);
  a ^= Math.imul(high ^ (high >>> 13), 3266489909);
  let b = Math.imul(high ^ (high >>> 16), 2246822507);
  b ^= Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

/** Numbers of 53 bits in the order of their first coming. Holds more than the 2^24 entries of a `Set`, in 18 to 36 bytes each. */
export interface HashIndex {
  /** The place of a number, from 0; it takes the next place if it is new. */
  add(hash: number): number;
  has(hash: number): boolean;
  readonly size: number;
}

/** An empty index: open addressing with linear probing, at most two thirds full. */
export function createHashIndex(): HashIndex {
  let capacity = 1024;
  let keys = new Float64Array(capacity);
  let places = new Uint32Array(capacity); // place + 1; 0 is free
  let size = 0;

  const slotOf = (hash: number): number => {
    // The low bits of the hash are as good as any: it comes from a finaliser.
    let slot = (hash >>> 0) & (capacity - 1);
    while (places[slot] !== 0 && keys[slot] !== hash) slot = (slot + 1) & (capacity - 1);
    return slot;
  };
  const grow = (): void => {
    const [oldKeys, oldPlaces] = [keys, places];
    capacity *= 2;
    keys = new Float64Array(capacity);
    places = new Uint32Array(capacity);
    oldPlaces.forEach((place, old) => {
      if (place === 0) return;
      const slot = slotOf(oldKeys[old] ?? 0);
      keys[slot] = oldKeys[old] ?? 0;
      places[slot] = place;
    });
  };
  return {
    add(hash) {
      const slot = slotOf(hash);
      const place = places[slot] ?? 0;
      if (place !== 0) return place - 1;
      keys[slot] = hash;
      places[slot] = ++size;
      if (size * 3 > capacity * 2) grow();
      return size - 1;
    },
    has: (hash) => places[slotOf(hash)] !== 0,
    get size() {
      return size;
    },
  };
}
