/** What BPE never merges across. */

/**
 * Letters with their marks, which keeps the vowel signs of Hindi or Tamil with their consonants, and the one sign before them, mostly a
 * space; digits one by one; runs of other signs with the space before them and the ends of lines behind; white space. It is the pattern
 * that llama.cpp knows as `qwen35`: one of our own would need as many tokens, and no other program could cut text like it.
 * Read by JavaScript in training and by the tokenizer library afterwards, from the file.
 */
export const wordPattern = [
  "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])",
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+',
  '\\p{N}',
  ' ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*',
  '\\s*[\\r\\n]+',
  '\\s+(?!\\S)',
  '\\s+',
].join('|');

const words = new RegExp(wordPattern, 'gu');

/** Adds the words of a text to their counts. */
export function countWords(text: string, counts: Map<string, number>, weight = 1): void {
  for (const word of text.match(words) ?? []) counts.set(word, (counts.get(word) ?? 0) + weight);
}
