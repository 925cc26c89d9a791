/**
 * Control tokens for a tokenizer from elsewhere, and the tokenizer without them again.
 *
 * A token of the tokenizer serves as a control token by a second entry with its id: `<bos>` beside `<|begin_of_text|>`. Whoever opens the
 * file by names finds the control tokens; the first entry of an id tells which token it was.
 */
import {CrossmapError} from '../../errors.js';
import {controlNames, isLanguageName, languageOfToken, languagesAmong, languageToken} from './control.js';
import {parseTokenizer, type AddedToken, type TokenizerContent} from './file-content.js';

/** What is known of a tokenizer besides its file. */
export interface AdaptOptions {
  /** Languages that get a control token. */
  readonly languages: readonly string[];
  /** Id of the token that starts a text in its model, where there is one. */
  readonly bos?: number | undefined;
  /** Id of the token that ends one. */
  readonly eos?: number | undefined;
  /** Control tokens that it was trained with, by name, each with the content of the token that served. */
  readonly served?: Readonly<Record<string, string>> | undefined;
}

/** A tokenizer that has all control tokens. */
export interface AdaptedTokenizer {
  /** The text of its `tokenizer.json`. */
  readonly json: string;
  /** Ids are 0 to vocabSize - 1. */
  readonly vocabSize: number;
  /** Tokens of the tokenizer that serve as control tokens from now on, and were never trained for it. */
  readonly reserved: readonly number[];
  /** Ids that no token had before. */
  readonly added: readonly number[];
  /** The highest id of a word that text is made of. */
  readonly highestWord: number;
  /** Languages that have a control token now, sorted. */
  readonly languages: readonly string[];
  /** Control tokens by name, each with the content of the token that serves, where it has another name. */
  readonly served: ReadonlyMap<string, string>;
}

/** How makers name tokens that they set aside: Llama 3, Mistral, Mistral NeMo, Gemma, T5. */
const reservedNames =
  /^(?:<\|reserved(?:_special_token)?_\d+\|>|\[control_\d+\]|<SPECIAL_\d+>|<unused_?\d+>|<\|extra_\d+\|>|<extra_id_\d+>)$/;

/**
 * Gives a tokenizer the control tokens that it lacks. Those that start and end a text in its model become `<bos>` and `<eos>`; tokens that were
 * set aside become the others, in the order of their ids, if there are enough of them; else all others are added behind the last token.
 *
 * @param content of a `tokenizer.json`
 * @param file names it in errors
 * @throws ERR_DATA where it is no tokenizer, or a word of it has the name of a control token; ERR_ARGUMENT for a language that cannot have one
 */
export function adaptTokenizer(content: unknown, file: string, options: AdaptOptions): AdaptedTokenizer {
  const {bos, eos, served = {}} = options;
  const tokenizer = parseTokenizer(content, file);
  const languages = [...new Set(options.languages)].sort();
  for (const language of languages) refuseTaken(language);
  const ids = idsOf(tokenizer.added);
  const controls = new Map(controlsOf(tokenizer.added).map((name) => [name, ids.get(name)]));
  const entries: AddedToken[] = [];
  const serve = (name: string, id: number | undefined): void => {
    if (id === undefined || controls.has(name)) return;
    entries.push({id, content: name});
    controls.set(name, id);
  };
  for (const [name, token] of Object.entries(served)) serve(name, ids.get(token));
  serve('<bos>', idIn(tokenizer, bos));
  serve('<eos>', idIn(tokenizer, eos));
  const names = [...controlNames, ...languages.map(languageToken)];
  for (const name of names) serve(name, ids.get(name));
  const wanted = names.filter((name) => !controls.has(name));
  const used = new Set(controls.values());
  const aside = tokenizer.added
    .filter((token) => reservedNames.test(token.content) && !used.has(token.id))
    .map(({id}) => id)
    .sort((a, b) => a - b);
  const hasEnough = aside.length >= wanted.length;
  const taken = wanted.map((_, i) => (hasEnough ? aside[i] : undefined) ?? tokenizer.vocabSize + i);
  for (const [i, name] of wanted.entries()) {
    if (!hasEnough && tokenizer.words.has(name))
      throw new CrossmapError('ERR_DATA', `${file} has the word ${name}, which is to be a control token`);
    serve(name, taken[i]);
  }
  const vocabSize = tokenizer.vocabSize + (hasEnough ? 0 : wanted.length);
  const contents = contentsOf(tokenizer.added);
  return {
    json: `${JSON.stringify(withAdded(content, [...tokenizer.raw, ...languagesLast(entries).map(entryOf)]))}\n`,
    vocabSize,
    reserved: hasEnough ? taken : [],
    added: hasEnough ? [] : taken,
    highestWord: tokenizer.highestWord,
    languages: [...controls.keys()].flatMap((name) => languageOfToken(name) ?? []).sort(),
    served: new Map(
      languagesLast(entries).flatMap(({id, content: name}) => {
        const token = contents.get(id);
        return token === undefined ? [] : [[name, token] as const];
      }),
    ),
  };
}

/** A tokenizer as others read it, and what of it only crossmap knows. */
export interface PlainTokenizer {
  /** The text of its `tokenizer.json`, each id with one token. */
  readonly json: string;
  /** The content of each token that is no plain text, by id. */
  readonly tokens: ReadonlyMap<number, string>;
  /** Control tokens by name, each with the content of the token that serves, where it has another name. */
  readonly served: ReadonlyMap<string, string>;
}

/** The tokenizer without second entries. @throws ERR_DATA where it is none */
export function plainTokenizer(content: unknown, file: string): PlainTokenizer {
  const tokenizer = parseTokenizer(content, file);
  const tokens = contentsOf(tokenizer.added);
  const firsts = new Map<number, AddedToken>();
  for (const token of tokenizer.added) if (!firsts.has(token.id)) firsts.set(token.id, token);
  const isSecond = (token: AddedToken | undefined): boolean =>
    token !== undefined && firsts.get(token.id) !== token;
  const plain = tokenizer.raw.filter((_, i) => !isSecond(tokenizer.added[i]));
  return {
    json: `${JSON.stringify(withAdded(content, plain))}\n`,
    tokens,
    served: new Map(
      tokenizer.added.filter(isSecond).map(({id, content: name}) => [name, tokens.get(id) ?? '']),
    ),
  };
}

function refuseTaken(language: string): void {
  if (!isLanguageName(language))
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `language ${language} cannot have the control token ${languageToken(language)}; give a code such as cs, zh or pt-BR`,
    );
}

/** An id, if the tokenizer has a token for it beside those of text. */
function idIn({added}: TokenizerContent, id: number | undefined): number | undefined {
  return added.some((token) => token.id === id) ? id : undefined;
}

/** Control tokens in their places: a language is one behind `<map>`. */
function controlsOf(added: readonly AddedToken[]): string[] {
  const contents = added.map(({content}) => content);
  return [
    ...controlNames.filter((name) => contents.includes(name)),
    ...languagesAmong(contents).map(languageToken),
  ];
}

/** The id of each content. */
function idsOf(added: readonly AddedToken[]): ReadonlyMap<string, number> {
  return new Map(added.map(({id, content}) => [content, id]));
}

/** Whoever opens the file takes what stands behind `<map>` for languages. */
function languagesLast(entries: readonly AddedToken[]): AddedToken[] {
  const isLanguage = ({content}: AddedToken): boolean => languageOfToken(content) !== undefined;
  return [...entries.filter((entry) => !isLanguage(entry)), ...entries.filter(isLanguage)];
}

/** The first content of each id. */
function contentsOf(added: readonly AddedToken[]): Map<number, string> {
  const contents = new Map<number, string>();
  for (const {id, content} of added) if (!contents.has(id)) contents.set(id, content);
  return contents;
}

function withAdded(content: unknown, added: readonly unknown[]): object {
  return {...Object(content), added_tokens: added};
}

function entryOf({id, content}: AddedToken): object {
  const flags = {single_word: false, lstrip: false, rstrip: false, normalized: false, special: true};
  return {id, content, ...flags};
}
