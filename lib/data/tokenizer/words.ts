/** What BPE never merges across. */

/**
 * Letters with their marks, which keeps the vowel signs of Hindi or Tamil with their consonants; numbers in threes; runs of other signs;
 * each with the space before it. Read by JavaScript in training and by the tokenizer library afterwards, from the file.
 */
export const wordPattern = ' ?[\\p{L}\\p{M}]+| ?\\p{N}{1,3}| ?[^\\s\\p{L}\\p{M}\\p{N}]+|\\s+(?!\\S)|\\s+';

const words = new RegExp(wordPattern, 'gu');

/** Adds the words of a text to their counts. */
export function countWords(text: string, counts: Map<string, number>, weight = 1): void {
  for (const word of text.match(words) ?? []) counts.set(word, (counts.get(word) ?? 0) + weight);
}
