/** The scores that sacreBLEU publishes with its tests, and what chrF rests on. */
import test from 'ava';
import {chrf, corpusScore, type ChrfOptions, type Translated} from '../../lib/eval/index.js';

const eps: ChrfOptions = {beta: 3, epsSmoothing: true};
const effective: ChrfOptions = {beta: 3};
const risk = [
  ' risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .',
  'risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .',
] as const;
const obama = [
  ' Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. ',
  'Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.',
] as const;
const wall = 'Niemand hat die Absicht, eine Mauer zu errichten';

for (const [options, hypotheses, references, expected] of [
  [eps, ['abcdefg'], ['hijklmnop'], 0],
  [eps, ['a'], ['b'], 0],
  [eps, [''], ['b'], 0],
  [eps, [''], ['reference'], 0],
  [eps, ['aa'], ['ab'], 8.3333],
  [eps, ['a', 'b'], ['a', 'c'], 8.3333],
  [eps, ['a'], ['a'], 16.6667],
  [eps, ['a b c'], ['a b c'], 50],
  [eps, ['a b c'], ['abc'], 50],
  [eps, [risk[0]], [risk[1]], 63.36173],
  [eps, [obama[0]], [obama[1]], 64.1302698],
  [eps, [wall], [wall], 100],
  [effective, ['a'], ['a'], 100],
  [effective, [''], ['reference'], 0],
  [effective, ['a b c'], ['a b c'], 100],
  [effective, ['a b c'], ['abc'], 100],
  [effective, ['a', 'b'], ['a', 'c'], 50],
  [effective, ['aa'], ['ab'], 25],
  [{beta: 3, whitespace: true}, [obama[0].trim().replace(/ +/g, ' ')], [obama[1]], 67.3481606],
  [{beta: 3, whitespace: true}, [risk[0].trim()], [risk[1]], 65.2414427],
  [
    {epsSmoothing: true},
    ['Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.'],
    ['Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.'],
    39.14078509,
  ],
  [
    {epsSmoothing: true},
    ['Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.'],
    ['A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.'],
    31.22557079,
  ],
  [
    {epsSmoothing: true},
    ['Lapali po dechu, jejich životy skončily dřív, než skutečně začaly.'],
    ['Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli.'],
    57.15704367,
  ],
] satisfies [ChrfOptions, string[], string[], number][])
  test(`sacreBLEU's score: ${JSON.stringify([options, hypotheses, references])}`, (t) => {
    const sentences = hypotheses.map((hypothesis, index): Translated => ({
      hypothesis,
      references: [references[index]!],
    }));
    const {score} = corpusScore(chrf(options), sentences);
    t.true(Math.abs(score - expected) < 1e-4, `${score} is not ${expected}`);
  });

test('words count beside characters, and a mark of punctuation is a word of its own', (t) => {
  const score = (hypothesis: string, reference: string, options: ChrfOptions): string =>
    corpusScore(chrf(options), [{hypothesis, references: [reference]}]).score.toFixed(6);
  const words: ChrfOptions = {characterOrder: 0, wordOrder: 1};
  t.is(score('(hi)', '(hi)', words), '100.000000');
  // "(hi" and ")"; against them "(", "hi" and ")", of which one is found: 1/3 and 1/2.
  t.is(score('(hi )', '(hi)', words), (500 / 11).toFixed(6));
  t.is(score('hi!', 'hi', {...words, beta: 1}), (200 / 3).toFixed(6));
  // Code points, not halves of them.
  t.is(score('𝄞', '𝄢', {characterOrder: 1}), '0.000000');
});

test('the best of several references counts, sentence by sentence', (t) => {
  const {score} = corpusScore(chrf(), [{hypothesis: 'abc', references: ['xyz', 'abc']}]);
  t.is(score, 100);
});

test('names, signatures and the line that is printed', (t) => {
  const told = (options: ChrfOptions) =>
    corpusScore(chrf(options), [{hypothesis: 'a b', references: ['a b']}]);
  t.is(told({wordOrder: 2}).name, 'chrF2++');
  t.regex(
    told({wordOrder: 2}).text,
    /^chrF2\+\+\|nrefs:1\|case:mixed\|eff:yes\|nc:6\|nw:2\|space:no\|version:crossmap-\d+\.\d+ = 100\.00$/,
  );
  t.regex(
    told({beta: 3, lowercase: true, whitespace: true, epsSmoothing: true}).text,
    /^chrF3\|nrefs:1\|case:lc\|eff:no\|nc:6\|nw:0\|space:yes\|/,
  );
});

test('bad options say what is wrong', (t) => {
  t.throws(() => chrf({characterOrder: 0}), {code: 'ERR_ARGUMENT', message: /not both 0/});
  t.throws(() => chrf({wordOrder: 1.5}), {code: 'ERR_ARGUMENT', message: /whole numbers/});
  t.throws(() => chrf({beta: 0}), {code: 'ERR_ARGUMENT', message: /beta/});
});
