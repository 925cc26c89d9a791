import test from 'ava';
import {chooseToken} from '../../lib/nn/choose-token.js';

const all = {topK: Infinity, topP: 1};
const logits = Float32Array.of(0, Math.log(4), Math.log(3), Math.log(2)); // 1 : 4 : 3 : 2

/** How many of 1000 evenly spread draws fall on each token. */
function shares(choice: {temperature: number; topK: number; topP: number}): number[] {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 1000; i++) counts[chooseToken(logits, choice, (i + 0.5) / 1000)]!++;
  return counts;
}

test('greedy takes the most likely token, and the lowest id of equals', (t) => {
  const greedy = {temperature: 0, ...all};
  t.is(chooseToken(logits, greedy, 0.99), 1);
  t.is(chooseToken(Float32Array.of(-1, 5, 5), greedy, 0.99), 1);
});

test('draws fall on tokens in proportion to their probabilities', (t) => {
  t.deepEqual(shares({temperature: 1, ...all}), [100, 400, 300, 200]);
});

test('temperature is the root of the odds', (t) => {
  const [one, four] = shares({temperature: 0.5, ...all});
  t.is(Math.round(four! / one!), 16);
});

test('topK keeps the most likely and scales them up', (t) => {
  t.deepEqual(shares({temperature: 1, topK: 2, topP: 1}), [0, 571, 429, 0]);
});

test('topP keeps the fewest tokens that reach the share', (t) => {
  t.deepEqual(shares({temperature: 1, topK: Infinity, topP: 0.69}), [0, 571, 429, 0]);
  t.deepEqual(shares({temperature: 1, topK: Infinity, topP: 0.71}), [0, 444, 334, 222]);
});

test('topP is a share of what topK kept', (t) => {
  t.deepEqual(shares({temperature: 1, topK: 2, topP: 0.56}), [0, 1000, 0, 0]);
});

test('large logits do not overflow', (t) => {
  t.is(chooseToken(Float32Array.of(1e30, -1e30, 1e30), {temperature: 1, ...all}, 0.9), 2);
});
