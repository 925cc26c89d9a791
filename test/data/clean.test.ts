import test from 'ava';
import fc from 'fast-check';
import {cleanText, lengthInLetters} from '../../lib/data/corpus/clean.js';

test('cleaned text is in NFC', (t) => {
  t.is(cleanText('r\u030Ceka'), 'řeka');
});

test('control characters and byte order marks go, also between a letter and its mark', (t) => {
  t.is(cleanText('\uFEFFa\u0000b\u007F\u009Fc\u001B'), 'abc');
  t.is(cleanText('r\u0007\u030Ceka'), 'řeka');
});

test('runs of white space of any kind become one space, and none is left at the ends', (t) => {
  t.is(cleanText(' \ta\t\u00A0 b\u3000\u2028c\u0085'), 'a b c');
  t.is(cleanText('\u2003\r'), '');
});

test('marks that join letters stay', (t) => {
  t.is(cleanText('क्\u200Dष می\u200Cشود'), 'क्\u200Dष می\u200Cشود');
});

test('cleaning a clean text changes nothing', (t) => {
  fc.assert(
    fc.property(fc.string({unit: 'binary'}), (text) => cleanText(cleanText(text)) === cleanText(text)),
    {seed: 1},
  );
  t.pass();
});

test('printable ASCII with single spaces is passed through as every text is', (t) => {
  t.is(cleanText('a  b'), 'a b');
  t.is(cleanText('a b '), 'a b');
  t.is(cleanText('a, b; c!'), 'a, b; c!');
});

for (const [text, letters] of [
  ['house', 5],
  ['řeka', 4],
  ['房子', 6],
  ['かな', 6],
  ['집', 2],
  ['𠀀', 1],
  ['', 0],
] as const)
  test(`${text || 'no text'} is as long as ${letters} letters`, (t) => t.is(lengthInLetters(text), letters));
