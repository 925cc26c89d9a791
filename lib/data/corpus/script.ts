/** Whether text is written as its language is. */
import {lettersOf} from './clean.js';

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
  const own = ownLetters(language);
  if (own === undefined) return () => 1;
  return (text) => {
    const known = tableOf(own);
    let [letters, others] = [0, 0];
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      const isPair = unit >= 0xd800 && unit < 0xdc00;
      const kind = isPair ? kindOf(text.slice(i, i + 2), own) : (known[unit] ?? 0);
      if (kind === 0) continue;
      const length = lettersOf(unit);
      letters += length;
      if (kind === 2) others += length;
    }
    return letters === 0 ? 1 : 1 - others / letters;
  };
}

const anyLetter = /^\p{L}$/u;

/** 0 for no letter, 1 for one of the script, 2 for another. */
function kindOf(character: string, own: RegExp): 0 | 1 | 2 {
  if (!anyLetter.test(character)) return 0;
  return own.test(character) ? 1 : 2;
}

/** Tables by their patterns: each is made once a thread. */
const tables = new Map<string, Uint8Array>();

/** Of each UTF-16 unit that is a character what it is: a look into it takes a fraction of what a pattern takes. */
function tableOf(own: RegExp): Uint8Array {
  const known = tables.get(own.source);
  if (known) return known;
  const table = Uint8Array.from({length: 0x10000}, (_, unit) => kindOf(String.fromCharCode(unit), own));
  tables.set(own.source, table);
  return table;
}

function ownLetters(language: string): RegExp | undefined {
  try {
    const {script} = new Intl.Locale(language.replaceAll('_', '-')).maximize();
    if (script === undefined) return undefined;
    const names = mixed.get(script) ?? [script];
    return new RegExp(`^[${names.map((name) => `\\p{Script_Extensions=${name}}`).join('')}]$`, 'u');
  } catch {
    return undefined; // no language code, or a script that this version of Unicode does not know
  }
}
