/** Near duplicates, against the Jaccard similarity computed in full. */
import test from 'ava';
import {createNearDuplicates} from '../../lib/data/corpus/min-hash.js';
import {minima, signaturesOf} from '../../lib/data/corpus/signature.js';
import {scriptShareOf} from '../../lib/data/corpus/script.js';
import {createRandom} from '../../lib/eval/random.js';

function shingles(text: string): Set<string> {
  const letters = text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
  return new Set(Array.from({length: Math.max(1, letters.length - 4)}, (_, at) => letters.slice(at, at + 5)));
}

function jaccard(a: string, b: string): number {
  const [x, y] = [shingles(a), shingles(b)];
  const common = [...x].filter((each) => y.has(each)).length;
  return common / (x.size + y.size - common);
}

function groupsOf(texts: readonly string[], similarity = 0.8): number[] {
  const near = createNearDuplicates(similarity);
  // Some together and some alone, as they come.
  near.add(signaturesOf(texts.slice(0, texts.length >> 1)));
  for (const text of texts.slice(texts.length >> 1)) near.add(signaturesOf([text]));
  return [...near.groups()];
}

const random = createRandom(11);
const word = (): string =>
  Array.from({length: 2 + random.below(8)}, () => String.fromCharCode(97 + random.below(26))).join('');
const text = (words: number): string => Array.from({length: words}, word).join(' ');

test('texts far above the similarity are found, texts far below are not', (t) => {
  let [found, wanted, wrong, far] = [0, 0, 0, 0];
  for (let n = 0; n < 400; n++) {
    const words = text(40).split(' ');
    const changed = words.map((each) => (random.uniform() < (n % 40) / 100 ? word() : each));
    const [a, b] = [words.join(' '), changed.join(' ')];
    const [, group] = groupsOf([a, b]);
    const similarity = jaccard(a, b);
    if (similarity >= 0.9) {
      wanted++;
      if (group === 0) found++;
    } else if (similarity <= 0.65) {
      far++;
      if (group === 0) wrong++;
    }
  }
  t.true(wanted > 30 && far > 30, `${wanted} near, ${far} far`);
  t.true(found >= wanted - 1, `${found} of ${wanted}`);
  t.is(wrong, 0);
});

for (const [kind, words, error] of [
  ['sentences of eight words', 8, 0.05],
  ['sentences of twenty words', 20, 0.045],
  ['documents', 300, 0.04],
] as const)
  test(`the similarity that signatures tell is right on average, of ${kind}`, (t) => {
    const differences: number[] = [];
    while (differences.length < 300) {
      const all = text(words).split(' ');
      const share = 0.01 + 0.08 * random.uniform();
      const [a, b] = [all.join(' '), all.map((each) => (random.uniform() < share ? word() : each)).join(' ')];
      const similarity = jaccard(a, b);
      if (similarity < 0.7 || similarity > 0.9) continue;
      const bytes = signaturesOf([a, b]).minima;
      let equal = 0;
      for (let i = 0; i < minima; i++) if (bytes[i] === bytes[minima + i]) equal++;
      differences.push((equal / minima - 1 / 256) / (1 - 1 / 256) - similarity);
    }
    const mean = differences.reduce((sum, each) => sum + each, 0) / differences.length;
    const deviation = Math.sqrt(
      differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / differences.length,
    );
    // The mean of 300 has a standard error of deviation / 17; five of them.
    t.true(Math.abs(mean) < (5 * error) / 17, `mean ${mean}`);
    t.true(deviation < error, `deviation ${deviation}`);
  });

test('a signature does not depend on the texts before it', (t) => {
  const [long, short] = [text(3000), 'вода, 水 and 𠀀😀'];
  const alone = signaturesOf([short]);
  const after = signaturesOf([long, short]);
  t.deepEqual(after.minima.subarray(minima), alone.minima);
  t.deepEqual(after.bands.subarray(after.bands.length / 2), alone.bands);
});

test('case, punctuation and white space make no difference; a text alike to two joins them', (t) => {
  const a = 'The dog bit the man, and the man bit the dog.';
  t.deepEqual(
    groupsOf([a, 'something else entirely', a.toUpperCase().replaceAll(',', ' -'), '', '...', 'else']),
    [0, 1, 0, 3, 3, 5],
  );
});

test('many texts, each with a copy far behind it, and in scripts without spaces', (t) => {
  const originals = Array.from({length: 1500}, () => text(12));
  const copies = originals.map((each) => `${each}!`);
  const groups = groupsOf([...originals, ...copies]);
  t.true(originals.every((_, i) => groups[i] === i && groups[1500 + i] === i));
  const chinese = '文档中光标位置处文本手动调整的格式将添加到样式窗口里选中的样式中并且保存';
  t.deepEqual(groupsOf([chinese, `${chinese}。`, Array.from(chinese).reverse().join('')]), [0, 0, 2]);
});

for (const [language, sample, share] of [
  ['uk', 'вода і water', 5 / 10],
  ['cs', 'Příliš žluťoučký kůň', 1],
  ['zh', '水 water', 3 / 8],
  ['ja', '水はミズ', 1],
  ['ko', '물 水', 1],
  ['sr-Latn', 'voda', 1],
  ['sr', 'voda', 0],
  ['hi', 'पानी 12', 1],
  ['ta', '12:30 – 14', 1],
  ['xx', 'anything at all', 1],
  ['not a code', 'anything', 1],
] as const)
  test(`script: of ${JSON.stringify(sample)} ${share} is ${language}`, (t) => {
    t.true(
      Math.abs(scriptShareOf(language)(sample) - share) < 1e-12,
      String(scriptShareOf(language)(sample)),
    );
  });
