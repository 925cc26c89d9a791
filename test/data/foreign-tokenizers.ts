/** Tokenizers as others make them, small. */

/** A `tokenizer.json`, as far as tests look at it. */
export interface TokenizerFile {
  added_tokens: {id: number; content: string; special?: boolean}[];
  model: {vocab: Record<string, number>};
}

const flags = {single_word: false, lstrip: false, rstrip: false, normalized: false};

/** An entry of `added_tokens`. */
export const addedToken = (id: number, content: string, special = true) => ({id, content, ...flags, special});

const pieces = [
  ...Array.from('▁abcdehilmnorstuvwyůř.'),
  'th',
  '▁th',
  '▁the',
  'se',
  '▁h',
  'ou',
  '▁hou',
  '▁house',
  'ee',
  'tr',
  '▁tr',
];
const merges = ['t h', '▁ th', '▁th e', 's e', '▁ h', 'o u', '▁h ou', '▁hou se', 'e e', 't r', '▁ tr'];

/** Like that of Llama 2: SentencePiece's BPE, a space before each text, bytes for unknown characters. */
export function sentencePieceTokenizer(): TokenizerFile {
  const bytes = Array.from(
    {length: 256},
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const special = ['<unk>', '<s>', '</s>'];
  const vocab = Object.fromEntries([...special, ...bytes, ...pieces].map((piece, id) => [piece, id]));
  const file = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => addedToken(id, content)),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        {type: 'Prepend', prepend: '▁'},
        {type: 'Replace', pattern: {String: ' '}, content: '▁'},
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{SpecialToken: {id: '<s>', type_id: 0}}, {Sequence: {id: 'A', type_id: 0}}],
      pair: [{Sequence: {id: 'A', type_id: 0}}, {Sequence: {id: 'B', type_id: 1}}],
      special_tokens: {'<s>': {id: '<s>', ids: [1], tokens: ['<s>']}},
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        {type: 'Replace', pattern: {String: '▁'}, content: ' '},
        {type: 'ByteFallback'},
        {type: 'Fuse'},
        {type: 'Strip', content: ' ', start: 1, stop: 0},
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges: merges.map((merge) => merge.split(' ')),
    },
  };
  return file;
}

/** One of ours without control tokens, which have the first ids: those of its words move down to 0. */
export function withoutControls(file: TokenizerFile): TokenizerFile {
  const controls = new Set(file.added_tokens.map(({content}) => content));
  const words = Object.entries(file.model.vocab).filter(([word]) => !controls.has(word));
  const vocab = Object.fromEntries(words.map(([word, id]) => [word, id - controls.size]));
  return {...file, added_tokens: [], model: {...file.model, vocab}};
}
