import test from 'ava';
import {permuted} from '../../lib/data/sampling/permutation.js';

const order = (length: number, key: number): number[] =>
  Array.from({length}, (_, place) => permuted(place, length, key));

// Domains are powers of four: both sides of each, and 1.
for (const length of [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 4096, 4097])
  test(`every number below ${length} has one place`, (t) => {
    t.deepEqual(
      order(length, 12345).sort((a, b) => a - b),
      Array.from({length}, (_, i) => i),
    );
  });

test('numbers beyond 2^32 have places too', (t) => {
  const length = 2 ** 40 + 3;
  const places = Array.from({length: 1000}, (_, i) => permuted(i, length, 7));
  t.is(new Set(places).size, 1000);
  t.true(places.every((place) => Number.isInteger(place) && place >= 0 && place < length));
  t.true(places.some((place) => place > 2 ** 39));
});

test('another key is another order', (t) => {
  t.notDeepEqual(order(100, 1), order(100, 2));
});

test('neighbours are spread as by chance', (t) => {
  // The mean distance of two random places among n is n / 3; its standard deviation over 1000 draws is 0.0075 n.
  for (const key of [1, 2, 3]) {
    const places = order(1000, key);
    const distances = places.slice(1).map((place, i) => Math.abs(place - places[i]!));
    const mean = distances.reduce((a, b) => a + b, 0) / distances.length;
    t.true(Math.abs(mean - 1000 / 3) < 5 * 7.5, `key ${key}: mean distance ${mean}`);
  }
});
