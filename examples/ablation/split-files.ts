/** Names of what a split holds. */

/** Share of its text that a language with little text has. */
export const littleShare = 0.1;

/** Files of a split, in its folder. */
export const splitFiles = {
  tokenizer: 'tokenizer.json',
  /** Monolingual text; a share below 1 is that of a language with little text. */
  text: (language: string, share = 1) => `train/${language}${share === 1 ? '' : `.${share}`}.txt`,
  pairs: (language: string, count: number, partners: 'true' | 'shuffled') =>
    `train/${language}.${count}.${partners}.tsv`,
  testText: (language: string) => `test/${language}.txt`,
  testPairs: (language: string) => `test/${language}.tsv`,
};
