/** Whether text is written as its language is. */
import {lengthInLetters} from './clean.js';

/** Share of the letters of a text, as `lengthInLetters` counts them, in the script of a language: 0 to 1; 1 for a text without letters. */
export type ScriptShare = (text: string) => number;

/** Scripts that are written together; all others are their own. */
const mixed = new Map([
  ['Hans', ['Hani', 'Bopo']],
  ['Hant', ['Hani', 'Bopo']],
  ['Jpan', ['Hani', 'Hira', 'Kana']],
  ['Kore', ['Hang', 'Hani']],
]);

/**
 * Measures text of a language by the script that Unicode's locale data has for its code: `zh` Han, `sr-Latn` Latin, `sr` Cyrillic. For a
 * code that these do not know every text is right.
 */
export function scriptShareOf(language: string): ScriptShare {
  const own = lettersOf(language);
  if (own === undefined) return () => 1;
  return (text) => {
    const letters = text.replace(noLetters, '');
    if (letters === '') return 1;
    return 1 - lengthInLetters(letters.replace(own, '')) / lengthInLetters(letters);
  };
}

const noLetters = /[^\p{L}]+/gu;

function lettersOf(language: string): RegExp | undefined {
  try {
    const {script} = new Intl.Locale(language.replaceAll('_', '-')).maximize();
    if (script === undefined) return undefined;
    const names = mixed.get(script) ?? [script];
    return new RegExp(`[${names.map((name) => `\\p{Script_Extensions=${name}}`).join('')}]`, 'gu');
  } catch {
    return undefined; // no language code, or a script that this version of Unicode does not know
  }
}
