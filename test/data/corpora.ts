/** Small corpora in several scripts: word-for-word translations of invented sentences, the same in every run. */
import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {parseConfig, type Config} from '../../lib/config/index.js';
import {temporaryFolder} from '../formats/folder.js';

/** The same eight words in each language. */
const words = {
  en: 'water moon house river child bread stone light'.split(' '),
  cs: 'voda měsíc dům řeka dítě chléb kámen světlo'.split(' '),
  uk: 'вода місяць будинок річка дитина хліб камінь світло'.split(' '),
  zh: '水 月亮 房子 河流 孩子 面包 石头 光'.split(' '),
  hi: 'पानी चाँद घर नदी बच्चा रोटी पत्थर रोशनी'.split(' '),
  ta: 'தண்ணீர் நிலவு வீடு ஆறு குழந்தை ரொட்டி கல் ஒளி'.split(' '),
  ar: 'ماء قمر بيت نهر طفل خبز حجر ضوء'.split(' '),
  ko: '물 달 집 강 아이 빵 돌 빛'.split(' '),
} as const;

export type Language = keyof typeof words;

export const languages = ['en', 'cs', 'uk', 'zh', 'hi', 'ta', 'ar', 'ko'] as const;

/** Sentence `n` in a language; different for every n below 8^5, and a translation of sentence n in the others. */
export function sentence(language: Language, n: number): string {
  const picked = [0, 1, 2, 3, 4].map((digit) => words[language][Math.floor(n / 8 ** digit) % 8]!);
  return language === 'zh' ? `${picked.join('')}。` : `${picked.join(' ')}.`;
}

/** Sentences from `first` on, `count` of them. */
export function sentences(language: Language, first: number, count: number): string[] {
  return Array.from({length: count}, (_, i) => sentence(language, first + i));
}

/** Documents of a few sentences each, as a text file has them. */
export function documents(all: readonly string[], perDocument = 3): string {
  const groups = [];
  for (let at = 0; at < all.length; at += perDocument)
    groups.push(all.slice(at, at + perDocument).join('\n'));
  return `${groups.join('\n\n')}\n`;
}

/** A temporary folder with these files. */
export async function folderWith(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), {recursive: true});
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** The configuration that a YAML text in that folder gives. */
export function configIn(folder: string, yaml: string, set: readonly string[] = []): Config {
  return parseConfig(yaml, {file: join(folder, 'test.yaml'), currentFolder: folder, set});
}

/** English and Czech text of 120 documents each, and 300 pairs of other sentences. */
export const smallFiles = {
  'en.txt': documents(sentences('en', 0, 360)),
  'cs.txt': documents(sentences('cs', 1000, 360)),
  'en-cs.tsv': `${sentences('en', 2000, 300)
    .map((text, i) => `${text}\t${sentence('cs', 2000 + i)}`)
    .join('\n')}\n`,
};

export const smallYaml = `
data:
  monolingual:
    - {language: en, files: en.txt}
    - {language: cs, files: cs.txt}
  parallel:
    - {source: en, target: cs, file: en-cs.tsv}
  filters: {nearDuplicates: off} # the sentences are made of eight words
  heldOut: {documentShare: 0.1, pairs: 20}
tokenizer: {vocabSize: 320}
model: {layers: 2, features: 32, heads: 2, context: 64}
training: {steps: 40, tokensPerBatch: 512, warmupSteps: 2, accumulation: 2}
`;

/** The small corpora in a temporary folder, with their configuration. */
export async function smallConfig(t: ExecutionContext, set: readonly string[] = []): Promise<Config> {
  return configIn(await folderWith(t, smallFiles), smallYaml, set);
}
