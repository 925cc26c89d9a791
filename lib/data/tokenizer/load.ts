/** Opens a `tokenizer.json`. */
import {Tokenizer as Library} from 'tokenizers';
import {CrossmapError} from '../../errors.js';
import {inOrder} from '../in-order.js';
import {controlNames, languageOfToken, languagesAmong, languageToken} from './control.js';
import {parseTokenizer, readTokenizerJson, type AddedToken, type TokenizerContent} from './file-content.js';
import type {Tokenizer} from './tokenizer.js';

/** Texts that the library is given at once: enough for all its threads, few enough that results take little memory. */
const textsAtOnce = 2048;

/**
 * Opens a `tokenizer.json` that has the control tokens `<bos>`, `<eos>`, `<map>` and those of the languages.
 *
 * @param options.languages which languages it must have; default: those it has
 * @throws ERR_DATA for a file that is missing, is no tokenizer or lacks a control token
 */
export async function loadTokenizer(
  file: string,
  options: {readonly languages?: readonly string[]} = {},
): Promise<Tokenizer> {
  const content = await readTokenizerJson(file);
  const parsed = parseTokenizer(content, file);
  const controls = new Map(parsed.added.filter(isControlToken).map((token) => [token.content, token.id]));
  const languages = options.languages ?? languagesAmong(parsed.added.map(({content: token}) => token));
  const missing = [...controlNames, ...languages.map(languageToken)].filter((name) => !controls.has(name));
  if (missing.length > 0)
    throw new CrossmapError(
      'ERR_DATA',
      `${file} lacks the control tokens ${missing.join(' ')}; train a tokenizer, or add them to its added_tokens`,
    );
  return createTokenizer(file, {
    library: openLibrary(file, content, parsed),
    vocabSize: parsed.vocabSize,
    controls,
    languages: [...languages].sort(),
  });
}

/** Whether text never becomes the token: those that are not special, such as runs of spaces in tokenizers for code, are text. */
function isControlToken({content, special = true}: AddedToken): boolean {
  return special || controlNames.some((name) => name === content) || languageOfToken(content) !== undefined;
}

/** @throws ERR_DATA where the library does not take it, or gives other ids to tokens */
function openLibrary(file: string, content: unknown, parsed: TokenizerContent): Library {
  const added = textTokens(parsed);
  let library: Library;
  try {
    const plain = {added_tokens: added, post_processor: null, truncation: null, padding: null};
    // What is parsed may lack names that JavaScript gives a meaning, such as `__proto__`: the file goes on as it is.
    library = Library.fromString(JSON.stringify({...Object(content), ...plain}));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_DATA', `${file} is no tokenizer.json: ${reason}`, {cause});
  }
  const moved = added.find((token) => library.tokenToId(token.content) !== token.id);
  if (moved !== undefined)
    throw new CrossmapError(
      'ERR_DATA',
      `${file} gives ${JSON.stringify(moved.content)} the id ${moved.id}, which leaves ids before it without a token`,
    );
  return library;
}

/**
 * Added tokens for the library, which finds each of them in a text. It numbers those that are no words in their order, so where there are
 * tokens of text, control tokens before them keep their places, under names that no cleaned text spells.
 */
function textTokens({added, raw, words}: TokenizerContent): (AddedToken & object)[] {
  const isText = new Set(added.filter((token) => !isControlToken(token)).map((token) => token.id));
  if (isText.size === 0) return [];
  const entries = added.map((token, i) => ({...Object(raw[i]), ...token}));
  const firsts = entries.filter(({id}, i) => entries.findIndex((other) => other.id === id) === i);
  return firsts
    .filter((token) => isText.has(token.id) || !words.has(token.content))
    .map((token) => (isText.has(token.id) ? token : {...token, content: `\u0000${token.id}`}))
    .sort((a, b) => a.id - b.id);
}

interface Parts {
  readonly library: Library;
  readonly vocabSize: number;
  /** Ids of the control tokens by their names. */
  readonly controls: ReadonlyMap<string, number>;
  readonly languages: readonly string[];
}

function createTokenizer(file: string, {library, vocabSize, controls, languages}: Parts): Tokenizer {
  const controlIds = new Set(controls.values());
  const idOf = (name: string): number => controls.get(name) ?? 0;
  const plain = {addSpecialTokens: false};
  return {
    file,
    vocabSize,
    languages,
    bos: idOf('<bos>'),
    eos: idOf('<eos>'),
    map: idOf('<map>'),
    language(code) {
      if (languages.includes(code)) return idOf(languageToken(code));
      throw new CrossmapError(
        'ERR_ARGUMENT',
        `${code} is no language of the tokenizer, which has ${languages.join(', ')}`,
      );
    },
    isControl: (id) => controlIds.has(id),
    encode: async (text) => new Int32Array((await library.encode(text, null, plain)).getIds()),
    async encodeAll(texts) {
      const all: Int32Array[] = [];
      // The library's threads are at the next texts while ids are taken out of these.
      const batches = inOrder(inBatches(texts), {
        ahead: 2,
        work: (batch) => library.encodeBatch(batch, plain),
      });
      for await (const encodings of batches)
        for (const encoding of encodings) all.push(new Int32Array(encoding.getIds()));
      return all;
    },
    async decode(ids) {
      const text = Array.from(ids).filter((id) => !controlIds.has(id));
      const wrong = text.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
      if (wrong !== undefined)
        throw new CrossmapError('ERR_ARGUMENT', `token ids must be 0 to ${vocabSize - 1}; got ${wrong}`);
      return text.length === 0 ? '' : library.decode(text, false);
    },
  };
}

function* inBatches(texts: readonly string[]): Generator<string[]> {
  for (let at = 0; at < texts.length; at += textsAtOnce) yield texts.slice(at, at + textsAtOnce);
}
