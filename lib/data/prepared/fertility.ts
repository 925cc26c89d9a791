/** How finely a tokenizer cuts the words of a language. */
import type {Tokenizer} from '../tokenizer/tokenizer.js';

/** Sentences looked at for each language. */
export const sampleSentences = 500;

/** What a sample of a language says. */
interface Fertility {
  /** Tokens per word. */
  readonly fertility: number;
  /** UTF-8 bytes per token. */
  readonly bytesPerToken: number;
  /** Tokens per code point, white space apart: comparable where words are not written apart. */
  readonly tokensPerCharacter: number;
}

/** Collects the first sentences of each language. */
export interface FertilitySample {
  add(language: string, sentences: readonly string[]): void;
  measure(language: string): Promise<Fertility>;
}

/** An empty sample. */
export function createFertilitySample(tokenizer: Tokenizer): FertilitySample {
  const samples = new Map<string, string[]>();
  return {
    add(language, sentences) {
      const sample = samples.get(language) ?? [];
      samples.set(language, sample);
      sample.push(...sentences.slice(0, sampleSentences - sample.length));
    },
    async measure(language) {
      const sample = samples.get(language) ?? [];
      const encoded = await tokenizer.encodeAll(sample);
      const tokens = encoded.reduce((sum, {length}) => sum + length, 0);
      const bytes = sample.reduce((sum, sentence) => sum + Buffer.byteLength(sentence), 0);
      return {
        fertility: tokens / Math.max(1, countWords(language, sample)),
        bytesPerToken: bytes / Math.max(1, tokens),
        tokensPerCharacter: tokens / Math.max(1, countCharacters(sample)),
      };
    },
  };
}

function countCharacters(sentences: readonly string[]): number {
  return sentences.reduce((sum, sentence) => sum + Array.from(sentence.replace(/\s+/gu, '')).length, 0);
}

/** Words by the Unicode rules, which know dictionaries of languages without spaces. */
function countWords(language: string, sentences: readonly string[]): number {
  const segmenter = new Intl.Segmenter(localeOf(language), {granularity: 'word'});
  let words = 0;
  for (const sentence of sentences)
    for (const {isWordLike} of segmenter.segment(sentence)) if (isWordLike) words++;
  return words;
}

/** Languages are named freely; the rules want a locale. */
function localeOf(language: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(language.replaceAll('_', '-'))[0];
  } catch {
    return undefined;
  }
}
