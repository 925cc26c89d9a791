import test from 'ava';
import fc from 'fast-check';
import {createHashIndex, hashNumbers, hashText} from '../../lib/data/corpus/hash.js';

test('a hash is a whole number of 53 bits, the same everywhere', (t) => {
  // Held-out sets are cut by these numbers: others would cut other sets.
  t.is(hashText(''), 3338908027751811);
  t.is(hashText('voda'), hashText('voda'));
  fc.assert(
    fc.property(fc.string(), fc.integer(), (text, seed) => {
      const hash = hashText(text, seed);
      return Number.isSafeInteger(hash) && hash >= 0;
    }),
    {seed: 4},
  );
});

test('a hundred thousand similar texts and pairs have no hash twice', (t) => {
  const texts = Array.from({length: 100_000}, (_, i) => hashText(`text ${i}`));
  t.is(new Set(texts).size, texts.length);
  const pairs = texts.map((hash, i) => hashNumbers(hash, texts[(i * 7) % 1000]!));
  t.is(new Set(pairs).size, pairs.length);
});

test('seed and order make another hash', (t) => {
  t.not(hashText('voda', 1), hashText('voda', 2));
  t.not(hashNumbers(1, 2), hashNumbers(2, 1));
  t.not(hashNumbers(2 ** 40, 2), hashNumbers(2 ** 41, 2));
});

test('an index gives numbers the places of a map, beyond its first table', (t) => {
  const index = createHashIndex();
  const places = new Map<number, number>();
  for (let i = 0; i < 5000; i++) {
    // Every third is known; 0 is a hash like any other; some share their low 32 bits.
    const hash = i % 3 === 2 ? (i - 2) * 2 ** 33 : i * 2 ** 33;
    if (!places.has(hash)) places.set(hash, places.size);
    t.is(index.add(hash), places.get(hash)!);
  }
  t.is(index.size, places.size);
  t.true(index.has(0));
  t.false(index.has(1));
});
