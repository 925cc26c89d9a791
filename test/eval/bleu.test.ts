/** The scores that sacreBLEU publishes with its tests, and what BLEU rests on. */
import test from 'ava';
import {
  bleu,
  compareScores,
  corpusScore,
  scoreInterval,
  type BleuOptions,
  type BleuTokenizer,
  type Translated,
} from '../../lib/eval/index.js';
import {bleuWords} from '../../lib/eval/bleu-tokenizers.js';

const hypotheses = ['The dog bit the man.', "It wasn't surprising.", 'The man had just bitten him.'];
const references = [
  ['The dog bit the man.', 'It was not unexpected.', 'The man bit him first.'],
  ['The dog had bit the man.', 'No one was surprised.', 'The man had bitten the dog.'],
];
const dogs: Translated[] = hypotheses.map((hypothesis, index) => ({
  hypothesis,
  references: references.map((each) => each[index]!),
}));
const zahăr: Translated = {
  hypothesis: 'Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;',
  references: ['producţia de zahăr brut se exprimă în zahăr alb;'],
};
const sentence = (options: BleuOptions): BleuOptions => ({...options, effectiveOrder: true});

for (const [name, options, sentences, expected, tolerance] of [
  ['the defaults', {}, dogs, 48.530827, 1e-6],
  ['tok none', {tokenizer: 'none'}, dogs, 49.1919566, 1e-7],
  ['tok intl', {tokenizer: 'intl'}, dogs, 43.91623493, 1e-8],
  ['smooth none', {smoothing: 'none'}, dogs, 48.530827, 1e-6],
  ['empty hypotheses', {}, dogs.map((each) => ({...each, hypothesis: ''})), 0, 0],
  ['order 1', {maxOrder: 1}, dogs, 77.65, 5e-3],
  ['order 2', {maxOrder: 2}, dogs, 60.5, 5e-3],
  ['order 3', {maxOrder: 3}, dogs, 53.93, 5e-3],
  ['order 5', {maxOrder: 5}, dogs, 46.14, 5e-3],
  ['order 6', {maxOrder: 6}, dogs, 43.28, 5e-3],
  ['a sentence', sentence({}), [zahăr], 8.493, 1e-3],
  ['a sentence, smooth none', sentence({smoothing: 'none'}), [zahăr], 0, 0],
  ['a sentence, smooth floor', sentence({smoothing: 'floor'}), [zahăr], 4.51688, 1e-3],
  ['a sentence, floor 0.5', sentence({smoothing: 'floor', smoothingValue: 0.5}), [zahăr], 10.1, 1e-3],
  ['a sentence, add-k', sentence({smoothing: 'add-k'}), [zahăr], 14.882, 1e-3],
  ['a sentence, add 2', sentence({smoothing: 'add-k', smoothingValue: 2}), [zahăr], 21.389, 1e-3],
  ['a sentence, tok none', sentence({tokenizer: 'none'}), [zahăr], 7.347, 1e-3],
  ['a sentence, tok intl', sentence({tokenizer: 'intl'}), [zahăr], 8.493, 1e-3],
  ['a sentence, tok char', sentence({tokenizer: 'char'}), [zahăr], 40.8759, 1e-3],
  ['a sentence, lower case', sentence({tokenizer: 'char', lowercase: true}), [zahăr], 42.0267, 1e-3],
  ['no match at all', {}, [{hypothesis: 'this is a cat', references: ['okay thanks']}], 0, 0],
] satisfies [string, BleuOptions, Translated[], number, number][])
  test(`sacreBLEU's score: ${name}`, (t) => {
    const {score} = corpusScore(bleu(options), sentences);
    t.true(Math.abs(score - expected) <= tolerance, `${score} is not ${expected}`);
  });

test('counts of n-grams and matches', (t) => {
  const [sentences, metric] = [
    [{hypothesis: 'am I am a character sequence', references: ['I am a symbol string sequence a a']}],
    bleu({tokenizer: 'none', smoothing: 'floor', smoothingValue: 0.1}),
  ];
  const {score, matches, totals} = corpusScore(metric, sentences);
  t.deepEqual(
    [matches, totals],
    [
      [4, 2, 1, 0],
      [6, 5, 4, 3],
    ],
  );
  t.true(Math.abs(score - 15.55722182) < 1e-6);
});

test('the line that is printed, with its signature', (t) => {
  t.is(
    corpusScore(bleu(), dogs).text.replace(/crossmap-[\d.]+/, 'crossmap-X'),
    'BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:crossmap-X = 48.53 82.4/50.0/45.5/37.5 ' +
      '(BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)',
  );
  const signature = (options: BleuOptions): string => corpusScore(bleu(options), dogs).signature;
  t.regex(
    signature({smoothing: 'floor', lowercase: true}),
    /^nrefs:2\|case:lc\|eff:no\|tok:13a\|smooth:floor\[0\.10\]\|/,
  );
  t.regex(signature({tokenizer: 'zh', effectiveOrder: true}), /^nrefs:2\|case:mixed\|eff:yes\|tok:zh\|/);
  const uneven = [...dogs, {hypothesis: 'a', references: ['a']}];
  t.regex(corpusScore(bleu(), uneven).signature, /^nrefs:var\|/);
});

test('a precision that lies between two digits is printed with the even one, as Python does', (t) => {
  const words = Array.from({length: 16}, (_, index) => `w${index}`);
  const {text} = corpusScore(bleu({tokenizer: 'none', maxOrder: 1, smoothing: 'none'}), [
    {hypothesis: words.join(' '), references: [['w0', ...words.slice(1).map(() => 'x')].join(' ')]},
  ]);
  t.regex(text, / 6\.25 6\.2 \(BP/);
});

test('of references that are equally close the shorter counts', (t) => {
  const {referenceLength} = corpusScore(bleu(), [{hypothesis: 'a b c', references: ['a b c d', 'a b']}]);
  t.is(referenceLength, 2);
});

for (const [tokenizer, line, expected] of [
  [
    '13a',
    'He paid 3,000.50 (in 2-day terms), "ok"&amp;c.',
    'He paid 3,000.50 ( in 2 - day terms ) , " ok " & c .',
  ],
  ['13a', 'a<skipped>b well-\nknown\nline', 'ab wellknown line'],
  ['13a', '€5–6 “quoted”', '€5–6 “quoted”'],
  ['intl', '€5–6 “quoted” 1,5 km/h.', '€ 5–6 “ quoted ” 1,5 km / h .'],
  ['zh', '€5–6 你好，世界3.5。', '€ 5 – 6 你 好 ， 世 界 3.5 。'],
  ['zh', '\u{20000}a &amp; b', '\u{20000}a & amp ; b'],
  ['char', 'añ 𝄞', 'a ñ 𝄞'],
  ['none', 'a,  b\u001cc\u00a0d\ufeff', 'a, b c d\ufeff'],
] satisfies [BleuTokenizer, string, string][])
  test(`tok ${tokenizer}: ${JSON.stringify(line)}`, (t) => {
    t.is(bleuWords(line, tokenizer).join(' '), expected);
  });

const many = Array.from({length: 40}, (_, index): Translated => {
  const words = ['the', 'dog', 'bit', 'a', 'man', `n${index}`];
  return {hypothesis: words.slice(index % 3).join(' '), references: [words.join(' ')]};
});

test('the interval covers the score and is the same for the same seed', (t) => {
  const {score} = corpusScore(bleu(), many);
  const interval = scoreInterval(bleu(), many, {draws: 300});
  t.true(interval.halfWidth > 1 && Math.abs(interval.mean - score) < interval.halfWidth);
  t.deepEqual(scoreInterval(bleu(), many, {draws: 300}), interval);
  t.notDeepEqual(scoreInterval(bleu(), many, {draws: 300, seed: 1}), interval);
});

test('paired bootstrap: a better system is told from an equal one', (t) => {
  const better = many.map((each) => ({...each, hypothesis: each.references[0]!}));
  const told = compareScores(bleu(), [many, better], {draws: 300});
  t.true(told.difference > 0 && told.interval[0] > 0);
  t.true(told.pValue < 0.01, `${told.pValue}`);
  const same = compareScores(bleu(), [many, many], {draws: 300});
  t.deepEqual([same.difference, ...same.interval], [0, 0, 0]);
  const swapped = many.map((each, index) => ({...each, hypothesis: many[(index + 3) % 40]!.hypothesis}));
  t.true(compareScores(bleu(), [swapped, swapped.toReversed().toReversed()], {draws: 100}).pValue > 0);
});

test('bad input says what is wrong', (t) => {
  const argument = {code: 'ERR_ARGUMENT'};
  t.throws(() => corpusScore(bleu(), []), {...argument, message: /at least one sentence/});
  t.throws(() => corpusScore(bleu(), [{hypothesis: 'a', references: []}]), {
    ...argument,
    message: /sentence 0 has no reference/,
  });
  t.throws(() => bleu({maxOrder: 0}), {...argument, message: /maxOrder/});
  t.throws(() => scoreInterval(bleu(), dogs, {draws: 0}), {...argument, message: /draws/});
  t.throws(() => compareScores(bleu(), [dogs, dogs.slice(1)]), {...argument, message: /3 and 2/});
});
