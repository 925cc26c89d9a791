/** The `tokenizer.json` of a byte-level BPE, as Hugging Face's libraries read it. */
import {alphabet} from './alphabet.js';
import type {Merges} from './bpe.js';
import {controlNames, languageToken} from './control.js';
import {wordPattern} from './words.js';

/**
 * The text of the file. Ids: control tokens from 0, then the 256 bytes in the order of the alphabet, then the merges in order.
 *
 * @param languages sorted
 */
export function tokenizerJson(merges: Merges, languages: readonly string[]): string {
  const control = [...controlNames, ...languages.map(languageToken)];
  const symbols = new Set([...control, ...alphabet, ...merges.map((merge) => merge.join(''))]);
  const byteLevel = {type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false};
  const file = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: control.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {type: 'NFC'},
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {type: 'Split', pattern: {Regex: wordPattern}, behavior: 'Isolated', invert: false},
        byteLevel,
      ],
    },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([...symbols].map((symbol, id) => [symbol, id])),
      merges,
    },
  };
  return `${JSON.stringify(file)}\n`;
}
