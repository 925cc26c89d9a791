/** What the corpora are made by: sentences, mark-up, catalogues, and the choice of pairs, on text written for this test. */
import {Buffer} from 'node:buffer';
import test from 'ava';
import {loadScript} from './support.js';

interface Message {
  readonly document: string;
  readonly english: string;
  readonly other: string;
}

interface Entry {
  readonly context: string;
  readonly reference: string;
  readonly source: string;
  readonly translation: string;
}

interface Rules {
  readonly isBlock: (name: string, kind: string) => boolean;
  readonly skip: readonly string[];
  readonly gaps: readonly string[];
  readonly between?: Readonly<Record<string, string>>;
  readonly around?: Readonly<Record<string, string>>;
  readonly entities?: Readonly<Record<string, string>>;
}

const {splitAlike, splitSentences} = await loadScript<{
  splitAlike: (english: string, other: string) => [string, string][];
  splitSentences: (paragraph: string) => string[];
}>('scripts/corpora/sentences.mjs');
const {gap, isSentence, isTranslation, numbersAgree} = await loadScript<{
  gap: string;
  isSentence: (text: string, language: string) => boolean;
  isTranslation: (english: string, other: string, language: string) => boolean;
  numbersAgree: (english: string, other: string) => boolean;
}>('scripts/corpora/judge.mjs');
const {blocksOf, textOf} = await loadScript<{
  blocksOf: (xml: string, rules: Rules) => {path: string; text: string}[] | undefined;
  textOf: (markup: string, rules: Rules) => string | undefined;
}>('scripts/corpora/markup.mjs');
const {entriesOf, messagesOf} = await loadScript<{
  entriesOf: (bytes: Buffer) => Entry[];
  messagesOf: (
    entries: readonly Entry[],
    documentOf: (entry: Entry) => string,
    plain: (markup: string) => string | undefined,
  ) => Message[];
}>('scripts/corpora/catalogue.mjs');
const {documentsOfText, pairsOf, sentencesOf} = await loadScript<{
  documentsOfText: (corpus: string, messages: readonly Message[]) => Set<string>;
  pairsOf: (messages: readonly Message[], language: string) => Message[];
  sentencesOf: (messages: readonly Message[], language: string) => string[][];
}>('scripts/corpora/choose.mjs');
const {helpOfGame, stringsOf, textOfGame} = await loadScript<{
  helpOfGame: (markup: string) => string;
  stringsOf: (text: string) => {domain: string; string: string}[];
  textOfGame: (markup: string) => string;
}>('scripts/corpora/wesnoth.mjs');
const {versionOf} = await loadScript<{versionOf: (name: string) => string}>('scripts/corpora/packages.mjs');

for (const [paragraph, sentences] of [
  ['The sun is up. Is it warm? Yes!', ['The sun is up.', 'Is it warm?', 'Yes!']],
  ['He said “Go.” Then he left.', ['He said “Go.”', 'Then he left.']],
  ['Use a tool, e.g. Vim, or none.', ['Use a tool, e.g. Vim, or none.']],
  ['Am 1. Mai ist frei. Am 2. auch.', ['Am 1. Mai ist frei.', 'Am 2. auch.']],
  ['Viz kap. Instalace, popř. Úvod. Konec.', ['Viz kap. Instalace, popř. Úvod.', 'Konec.']],
  ['J. Novák came. So did T. Smith.', ['J. Novák came.', 'So did T. Smith.']],
  ['打开窗口。“好的！”他说。', ['打开窗口。', '“好的！”', '他说。']],
  ['Відкрийте вікно. Закрийте його.', ['Відкрийте вікно.', 'Закрийте його.']],
] as const)
  test(`sentences of ${paragraph}`, (t) => t.deepEqual(splitSentences(paragraph), [...sentences]));

test('paragraphs that split alike become pairs of sentences, others stay whole', (t) => {
  t.deepEqual(splitAlike('It rains here. We stay at home.', 'Tady prší. Zůstaneme doma.'), [
    ['It rains here.', 'Tady prší.'],
    ['We stay at home.', 'Zůstaneme doma.'],
  ]);
  t.deepEqual(splitAlike('It rains here. We stay at home.', 'Tady prší, a tak zůstaneme doma.'), [
    ['It rains here. We stay at home.', 'Tady prší, a tak zůstaneme doma.'],
  ]);
  t.deepEqual(splitAlike('First line.\n\nSecond line.', 'První řádek.\nDruhý řádek.'), [
    ['First line.', 'První řádek.'],
    ['Second line.', 'Druhý řádek.'],
  ]);
});

test('as many sentences of unlike length are not split', (t) => {
  const [english, other] = [
    'Wait. Open the window in the hall and call your brother, who is in the garden.',
    'Počkej prosím chvíli, otevři okno v předsíni a zavolej bratra na zahradě. Díky.',
  ];
  t.deepEqual(splitAlike(english, other), [[english, other]]);
});

for (const [english, other, agree] of [
  ['Line 12 of 40.', '40 行中的第 12 行。', true],
  ['It holds 1,024 files.', 'Es fasst 1.024 Dateien.', true],
  ['It holds 1,024 files.', 'Es fasst 1024 Dateien.', true],
  ['It holds 12 files.', 'Es fasst 21 Dateien.', false],
  ['Version 2 is old.', 'Stará verze.', false],
  ['Press 3 keys.', '按３个键。', true],
] as const)
  test(`numbers of ${english} and ${other}`, (t) => t.is(numbersAgree(english, other), agree));

for (const [text, language, expected] of [
  ['Open the file and read it.', 'en', true],
  ['Open the file and read it', 'en', false],
  ['Open it now.', 'en', false],
  ['打开这个文件。', 'zh', true],
  ['打开它。', 'zh', false],
  ['Open the file and read it.', 'uk', false],
  [`See the chapter ${gap} for more.`, 'en', false],
  ['Type ls -l > list.txt and wait.', 'en', false],
  ['About 50% of them are here.', 'en', true],
  ['Set %count to the right value.', 'en', false],
  [`${'word '.repeat(70)}end.`, 'en', false],
] as const)
  test(`${text.slice(0, 40)} in ${language} is ${expected ? 'a' : 'no'} sentence`, (t) =>
    t.is(isSentence(text, language), expected));

test('English that was not translated is no translation', (t) => {
  const english = 'The kernel is loaded by the boot loader.';
  t.true(isTranslation(english, 'Jádro je načteno zavaděčem systému.', 'cs'));
  t.false(isTranslation(english, 'The kernel is loaded by the boot loader!', 'cs'));
  t.false(isTranslation(english, 'The jádro is loaded by the zavaděč.', 'cs'));
  t.true(
    isTranslation('Open the file in LibreOffice Writer.', '请现在用 LibreOffice Writer 打开这个文件。', 'zh'),
  );
});

const rules: Rules = {
  isBlock: (name, kind) => name === 'p' || kind === 'para',
  skip: ['footnote', 'div.url'],
  gaps: ['xref', 'a.xref'],
  between: {keys: '+'},
  around: {quote: '"'},
  entities: {tool: '<b>&name;</b>', name: 'Installer'},
};

for (const [markup, text] of [
  ['Press <keys> <k>Ctrl</k> <k>C</k> </keys> to\n  stop.', 'Press Ctrl+C to stop.'],
  ['The <quote>smoke test</quote>.<footnote>A <p>note</p>.</footnote>', 'The "smoke test".'],
  ['See <xref linkend="a"/> &amp; <a class="xref">it</a>.', `See ${gap} & ${gap}.`],
  ['The &tool; of &unknown;.', `The Installer of ${gap}.`],
  ['One<br/>two &lt;three&gt;', 'One\ntwo <three>'],
] as const)
  test(`text of ${markup.replaceAll('\n', ' ')}`, (t) => t.is(textOf(markup, rules), text));

test('mark-up that is not well-formed has no text', (t) => {
  t.is(textOf('a <b>c', rules), undefined);
  t.is(blocksOf('<body><p>a</body>', rules), undefined);
});

test('paragraphs of a document, one inside of another, with where they stand', (t) => {
  const blocks = blocksOf(
    '<body>x<p>One <div class="url">away</div></p><li><div class="para">Two<p>three</p> four</div></li></body>',
    rules,
  );
  t.deepEqual(blocks, [
    {path: 'body', text: 'One '},
    {path: 'body/li', text: 'Two\n four'},
    {path: 'body/li/div', text: 'three'},
  ]);
});

const catalogue = `msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

#: b.xml:1
msgid "The <b>tree</b> is very tall."
msgstr "Strom je <b>velmi</b> vysoký."

#: a.xml:7
#, fuzzy
msgid "The house is old here."
msgstr "Dům je zde nový."

#: b.xml:9
msgid "It rained all day. We stayed at home today."
msgstr "Celý den pršelo. Dnes jsme zůstali doma."
`;

test('a catalogue gives pairs of sentences with their documents', (t) => {
  const entries = entriesOf(Buffer.from(catalogue));
  const documentOf = ({reference}: Entry): string => reference.replace(/:.*/, '');
  const messages = messagesOf(entries, documentOf, (markup) => textOf(markup, rules));
  t.deepEqual(
    messages.map(({document, other}) => [document, other]),
    [
      ['b.xml', 'Strom je velmi vysoký.'],
      ['a.xml', ''],
      ['b.xml', 'Celý den pršelo. Dnes jsme zůstali doma.'],
    ],
  );
  t.deepEqual(pairsOf([...messages, ...messages], 'cs'), [
    {document: 'b.xml', english: 'The tree is very tall.', other: 'Strom je velmi vysoký.'},
    {document: 'b.xml', english: 'We stayed at home today.', other: 'Dnes jsme zůstali doma.'},
  ]);
});

/** A compiled catalogue, by the layout of the gettext manual: header, two tables of lengths and offsets, strings that end in a zero. */
function compiled(entries: readonly (readonly [string, string])[]): Buffer {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const tables = 28 + 16 * sorted.length;
  const head = [0x950412de, 0, sorted.length, 28, 28 + 8 * sorted.length, 0, tables];
  const strings = [...sorted.map(([id]) => id), ...sorted.map(([, text]) => text)].map((text) =>
    Buffer.from(text),
  );
  let offset = tables;
  const table = strings.flatMap(({length}) => {
    offset += length + 1;
    return [length, offset - length - 1];
  });
  const numbers = Buffer.alloc(4 * (head.length + table.length));
  [...head, ...table].forEach((value, at) => numbers.writeUInt32LE(value, 4 * at));
  return Buffer.concat([numbers, ...strings.flatMap((bytes) => [bytes, Buffer.of(0)])]);
}

test('a compiled catalogue is read as one', (t) => {
  const bytes = compiled([
    ['', 'Content-Type: text/plain; charset=UTF-8\n'],
    ['Who goes there?', 'Kdo je tam?'],
    ['female^Mage', 'Čarodějka'],
  ]);
  t.deepEqual(
    entriesOf(bytes).map(({source, translation}) => [source, translation]),
    [
      ['Who goes there?', 'Kdo je tam?'],
      ['female^Mage', 'Čarodějka'],
    ],
  );
});

test('strings of the game, with their domains, and its mark-up', (t) => {
  const data = '#textdomain wesnoth-a\nname= _ "One"\n#textdomain wesnoth-b\nstory=_ "He said ""no""."\n';
  t.deepEqual(stringsOf(data), [
    {domain: 'wesnoth-a', string: 'One'},
    {domain: 'wesnoth-b', string: 'He said "no".'},
  ]);
  t.is(textOfGame('female^Mage of <i>fire</i>, $unit.name|!'), `Mage of fire, ${gap}!`);
  t.is(helpOfGame("The <ref>dst='x' text='orc\\'s'</ref> home."), "The orc's home.");
});

test('what stayed English is no text of another language', (t) => {
  const [english, other] = [
    'Open the file and read it. Close the door when you leave.',
    'Öffnen Sie die Datei und lesen Sie sie. Close the door when you leave.',
  ];
  const messages = [{document: 'd', english, other}];
  t.deepEqual(sentencesOf(messages, 'de'), [['Öffnen Sie die Datei und lesen Sie sie.']]);
  t.deepEqual(sentencesOf(messages, 'en'), [
    ['Open the file and read it.', 'Close the door when you leave.'],
  ]);
});

test('documents are text or pairs by their names alone, about two fifths of the letters text', (t) => {
  const messages = Array.from({length: 50}, (_, n) => ({
    document: `d${n}`,
    english: 'x'.repeat(100),
    other: '',
  }));
  const chosen = documentsOfText('corpus', messages);
  t.is(chosen.size, 20);
  t.deepEqual([...documentsOfText('corpus', [...messages].reverse())].sort(), [...chosen].sort());
  t.notDeepEqual([...documentsOfText('other', messages)].sort(), [...chosen].sort());
});

test('the version of a package from the name of its file', (t) => {
  t.is(versionOf('wesnoth-1.16-data_1:1.16.9-1_all.deb'), '1:1.16.9-1');
  t.is(versionOf('libreoffice_7.4.7.orig-translations.tar.xz'), '7.4.7');
  t.is(versionOf('installation-guide_20230508+deb12u1.tar.xz'), '20230508+deb12u1');
});
