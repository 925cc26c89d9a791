/** The language that a command line names. */
import {nearest} from '../config/suggest.js';
import type {Tokenizer} from '../data/index.js';
import {CrossmapError} from '../errors.js';

/**
 * The language, if the model has it.
 *
 * @param option what names it: `--from`
 * @param code undefined stands for the only language, where there is one
 * @throws ERR_ARGUMENT with the languages there are, and the one that was meant
 */
export function chosenLanguage({languages}: Tokenizer, option: string, code: string | undefined): string {
  const [only] = languages;
  if (code === undefined && only !== undefined && languages.length === 1) return only;
  if (code !== undefined && languages.includes(code)) return code;
  const meant = code === undefined ? undefined : nearest(code, languages);
  const there = `the model has ${languages.join(', ')}`;
  throw new CrossmapError(
    'ERR_ARGUMENT',
    code === undefined
      ? `${option} is needed: ${there}`
      : `${option} ${code} is no language of the model${meant === undefined ? '' : `; did you mean ${meant}?`} (${there})`,
  );
}
