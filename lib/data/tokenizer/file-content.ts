/** What a `tokenizer.json` says of its tokens. */
import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import {CrossmapError} from '../../errors.js';

/** A token beside those that the model of the tokenizer makes of text. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether text never becomes it; default true. */
  readonly special?: boolean | undefined;
}

/** The tokens of a tokenizer. */
export interface TokenizerContent {
  /** In the order of the file. */
  readonly added: readonly AddedToken[];
  /** The same entries as they stand in the file. */
  readonly raw: readonly unknown[];
  /** Ids of the words that text is made of. */
  readonly words: ReadonlyMap<string, number>;
  /** The highest id of a word; -1 where there is none. */
  readonly highestWord: number;
  /** One more than the highest id. */
  readonly vocabSize: number;
}

const id = z
  .int()
  .min(0)
  .max(2 ** 26); // more than any vocabulary has: what is made for each id stays small

const fileSchema = z.looseObject({
  added_tokens: z
    .array(z.looseObject({id, content: z.string(), special: z.boolean().exactOptional()}))
    .default([]),
  model: z.looseObject({vocab: z.record(z.string(), id)}),
});

/** The JSON of a file. @throws ERR_DATA where it cannot be read, or is no JSON */
export async function readTokenizerJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/**
 * Reads the tokens out of the JSON of a file; the library reads the rest.
 *
 * @param file names it in errors
 * @throws ERR_DATA where it is none of a tokenizer with words that have ids
 */
export function parseTokenizer(content: unknown, file: string): TokenizerContent {
  const result = fileSchema.safeParse(content);
  if (!result.success) throw unreadable(file, result.error);
  const {added_tokens: added, model} = result.data;
  const raw: unknown = Object.entries(Object(content)).find(([name]) => name === 'added_tokens')?.[1];
  const words = new Map(Object.entries(model.vocab));
  let highestWord = -1;
  for (const each of words.values()) highestWord = Math.max(highestWord, each);
  let vocabSize = highestWord + 1;
  for (const token of added) vocabSize = Math.max(vocabSize, token.id + 1);
  return {added, raw: Array.isArray(raw) ? raw : [], words, highestWord, vocabSize};
}

function unreadable(file: string, cause: unknown): CrossmapError {
  const reason =
    cause instanceof z.ZodError
      ? z.prettifyError(cause)
      : cause instanceof Error
        ? cause.message
        : String(cause);
  return new CrossmapError('ERR_DATA', `${file} is no tokenizer.json that can be read: ${reason}`, {cause});
}
