/** Text of languages on the command line. */
import {InvalidArgumentError} from 'commander';

/** Text of one language. */
export interface TextFiles {
  readonly language: string;
  readonly file: string;
}

/** Sentence pairs in a file that holds both sides, or in two. */
export interface PairFiles {
  readonly source: string;
  readonly target: string;
  readonly files: readonly [string, string?];
}

/** As the configuration has it. */
const code = '[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*';

/** Reads `cs=text.txt`, beside those before it. */
export function textFiles(text: string, before: readonly TextFiles[] = []): TextFiles[] {
  const [, language, file] = new RegExp(`^(${code})=(.+)$`, 's').exec(text) ?? [];
  if (language === undefined || file === undefined)
    throw new InvalidArgumentError('It must be a language and a file: cs=text.txt.');
  return [...before, {language, file}];
}

/** Reads `en-cs=pairs.tsv` or `en:pt-BR=text.en,text.pt`, beside those before it. */
export function pairFiles(text: string, before: readonly PairFiles[] = []): PairFiles[] {
  const [, source, target, files] =
    new RegExp(`^(${code}):(${code})=(.+)$`, 's').exec(text) ??
    /^([A-Za-z][A-Za-z0-9]*)-([A-Za-z][A-Za-z0-9]*)=(.+)$/s.exec(text) ??
    [];
  const [first = '', second, ...more] = files?.split(',') ?? [];
  if (source === undefined || target === undefined || more.length > 0 || first === '' || second === '')
    throw new InvalidArgumentError(
      'It must be two languages and one file or two: en-cs=pairs.tsv, or en:pt-BR=text.en,text.pt.',
    );
  return [...before, {source, target, files: second === undefined ? [first] : [first, second]}];
}

/** Reads `en,cs`. */
export function languageList(text: string): string[] {
  const languages = text.split(',').map((language) => language.trim());
  if (!languages.every((language) => new RegExp(`^${code}$`).test(language)))
    throw new InvalidArgumentError('It must be language codes with commas between: en,cs,pt-BR.');
  return [...new Set(languages)];
}
