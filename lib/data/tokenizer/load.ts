/** Opens a `tokenizer.json`. */
import {readFile} from 'node:fs/promises';
import {Tokenizer as Library} from 'tokenizers';
import {z} from 'zod';
import {CrossmapError} from '../../errors.js';
import {inOrder} from '../in-order.js';
import {controlNames, languageOfToken, languageToken} from './control.js';
import type {Tokenizer} from './tokenizer.js';

/** What is read of the file here; the library reads the rest. */
const fileSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({id: z.int().min(0), content: z.string()})).default([]),
  model: z.looseObject({vocab: z.record(z.string(), z.int().min(0))}),
});

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
  const {content, parsed} = await readTokenizer(file);
  const controls = new Map(parsed.added_tokens.map((token) => [token.content, token.id]));
  const languages =
    options.languages ?? [...controls.keys()].flatMap((token) => languageOfToken(token) ?? []);
  const missing = [...controlNames, ...languages.map(languageToken)].filter((name) => !controls.has(name));
  if (missing.length > 0)
    throw new CrossmapError(
      'ERR_DATA',
      `${file} lacks the control tokens ${missing.join(' ')}; train a tokenizer, or add them to its added_tokens`,
    );
  return createTokenizer(file, {
    // Without added tokens the library cannot find one in a text.
    library: openLibrary(file, {
      ...content,
      added_tokens: [],
      post_processor: null,
      truncation: null,
      padding: null,
    }),
    vocabSize:
      1 + Object.values(parsed.model.vocab).reduce((a, b) => Math.max(a, b), Math.max(...controls.values())),
    controls,
    languages: [...languages].sort(),
  });
}

interface ReadTokenizer {
  /** The file as it is: what is parsed may lack names that JavaScript gives a meaning, such as `__proto__`. */
  readonly content: object;
  readonly parsed: z.output<typeof fileSchema>;
}

async function readTokenizer(file: string): Promise<ReadTokenizer> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    return {content: Object(content), parsed: fileSchema.parse(content)};
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new CrossmapError('ERR_DATA', `${file} is no tokenizer.json that can be read: ${reason}`, {cause});
  }
}

function openLibrary(file: string, content: object): Library {
  try {
    return Library.fromString(JSON.stringify(content));
  } catch (cause) {
    throw new CrossmapError('ERR_DATA', `${file} is no tokenizer.json: ${messageOf(cause)}`, {cause});
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
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
