/** The tokenizer on the Universal Declaration of Human Rights in 16 languages and 13 scripts, against two other readers of its file. */
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {Tokenizer as Library} from 'tokenizers';
import {trainTokenizer, type Tokenizer} from '../../lib/data/index.js';
import {createFertilitySample} from '../../lib/data/prepared/fertility.js';

const table = (await readFile(fileURLToPath(new URL('../../../test/data/udhr.tsv', import.meta.url)), 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));
const [languages, ...paragraphs] = table as [string[], ...string[][]];
const textOf = (language: string): string[] => paragraphs.map((row) => row[languages.indexOf(language)]!);

let folder = '';
let shared: Tokenizer | undefined;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crossmap-scripts-'));
  // Half of the paragraphs: the other half has words that it never saw.
  const texts = languages.flatMap((language) => textOf(language).slice(0, paragraphs.length / 2));
  shared = await trainTokenizer(texts, {vocabSize: 3000, languages, file: join(folder, 'tokenizer.json')});
});

test.after.always(() => rm(folder, {recursive: true, force: true}));

interface File {
  readonly pre_tokenizer: {readonly pretokenizers: readonly [{readonly pattern: {readonly Regex: string}}]};
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly [string, string][];
  };
}

/** Byte-level BPE by its definition, from what the file says: words, bytes as symbols, merges by rank. */
function plainReader({pre_tokenizer, model}: File): (text: string) => number[] {
  const words = new RegExp(pre_tokenizer.pretokenizers[0].pattern.Regex, 'gu');
  const ranks = new Map(model.merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  return (text) =>
    (text.normalize('NFC').match(words) ?? []).flatMap((word) => {
      const symbols = Array.from(Buffer.from(word), symbolOf);
      for (;;) {
        const own = symbols.slice(1).map((right, i) => ranks.get(`${symbols[i]} ${right}`) ?? Infinity);
        const best = Math.min(...own);
        if (best === Infinity) return symbols.map((symbol) => model.vocab[symbol]!);
        const at = own.indexOf(best);
        symbols.splice(at, 2, `${symbols[at]}${symbols[at + 1]}`);
      }
    });
}

/** GPT-2's printable stand-ins of bytes: those that print stand for themselves, the others follow from U+0100 on. */
function symbolOf(byte: number): string {
  const prints = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b !== 173);
  if (prints(byte)) return String.fromCharCode(byte);
  let others = 0;
  for (let b = 0; b < byte; b++) if (!prints(b)) others++;
  return String.fromCharCode(256 + others);
}

for (const language of languages)
  test(`${language}: the file gives Hugging Face's library and a plain reader the same ids, which decode to the text`, async (t) => {
    const tokenizer = shared!;
    const library = Library.fromFile(tokenizer.file);
    const plain = plainReader(JSON.parse(await readFile(tokenizer.file, 'utf8')) as File);
    for (const paragraph of textOf(language)) {
      const ids = [...(await tokenizer.encode(paragraph))];
      t.deepEqual((await library.encode(paragraph, null, {addSpecialTokens: false})).getIds(), ids);
      t.deepEqual(plain(paragraph), ids);
      t.is(await tokenizer.decode(ids), paragraph.normalize('NFC'));
      t.is(await library.decode(ids, false), paragraph.normalize('NFC'));
    }
  });

test('fertility counts tokens by words, characters and bytes', async (t) => {
  const tokenizer = shared!;
  for (const language of ['en', 'zh', 'ja', 'th', 'ta']) {
    const texts = textOf(language);
    const sample = createFertilitySample(tokenizer);
    sample.add(language, texts);
    const {fertility, bytesPerToken, tokensPerCharacter} = await sample.measure(language);
    let [tokens, characters, bytes] = [0, 0, 0];
    for (const text of texts) {
      tokens += (await tokenizer.encode(text)).length;
      for (const character of text) if (character.trim() !== '') characters++;
      bytes += Buffer.byteLength(text);
    }
    t.is(tokensPerCharacter, tokens / characters);
    t.is(bytesPerToken, bytes / tokens);
    t.true(fertility > tokensPerCharacter, language); // a word has a character or more
    if (language === 'en') t.true(Math.abs(fertility - tokens / texts.join(' ').split(' ').length) < 0.1);
  }
});
