/** Text into tokens, cut where a context ends. */
import type {Document} from '../corpus/documents.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';

/** Batches that are encoded at once: the library's threads have work while one of them is read or written. */
export const encodedAhead = 2;

/** A piece of text that is tokenised as a whole, with its UTF-8 bytes. */
interface EncodedText {
  readonly tokens: Int32Array;
  readonly bytes: number;
}

/** Stands between the sentences of a document. One token in a tokenizer of ours, and a word of its own for BPE. */
const separator = '\n';

/** A text before the separator: what a tokenizer puts at the start of a text, as those of SentencePiece do, is then not the separator's. */
const before = 'a';

/** Encodes documents, which one call of the library can take together. */
export interface DocumentEncoder {
  /** Each document as one text. */
  whole(documents: readonly Document[]): Promise<EncodedText[]>;
  /**
   * Each document as texts of at most `longest` tokens, cut between sentences. A sentence that is longer is cut between words, or
   * between characters where it has no spaces.
   */
  inSegments(documents: readonly Document[], longest: number): Promise<EncodedText[]>;
}

/** An encoder over a tokenizer. */
export async function createDocumentEncoder(tokenizer: Tokenizer): Promise<DocumentEncoder> {
  const [start, followed] = await tokenizer.encodeAll([before, `${before}${separator}`]);
  const between: EncodedText = {
    tokens: followed?.subarray(start?.length) ?? new Int32Array(),
    bytes: Buffer.byteLength(separator),
  };

  const encodeAll = async (texts: readonly string[]): Promise<EncodedText[]> => {
    const encoded = await tokenizer.encodeAll(texts);
    return encoded.map((tokens, i) => ({tokens, bytes: Buffer.byteLength(texts[i] ?? '')}));
  };
  const cut = async (text: string, longest: number): Promise<EncodedText[]> => {
    const halves = inHalves(text);
    const parts = await encodeAll(halves);
    const all: EncodedText[] = [];
    for (const [i, part] of parts.entries())
      if (part.tokens.length <= longest) all.push(part);
      else all.push(...(await cut(halves[i] ?? '', longest)));
    return all;
  };
  const encodeDocuments = async (documents: readonly Document[]): Promise<EncodedText[][]> => {
    const sentences = await encodeAll(documents.flat());
    let at = 0;
    return documents.map(({length}) => sentences.slice(at, (at += length)));
  };
  return {
    async whole(documents) {
      return (await encodeDocuments(documents)).map((sentences) => joined(sentences, between));
    },
    async inSegments(documents, longest) {
      const segments: EncodedText[] = [];
      for (const [i, sentences] of (await encodeDocuments(documents)).entries()) {
        const pieces: EncodedText[] = [];
        for (const [j, sentence] of sentences.entries())
          if (sentence.tokens.length <= longest) pieces.push(sentence);
          else pieces.push(...(await cut(documents[i]?.[j] ?? '', longest)));
        segments.push(...grouped(pieces, between, longest).map((group) => joined(group, between)));
      }
      return segments;
    },
  };
}

/** As many pieces together as fit. */
function grouped(pieces: readonly EncodedText[], between: EncodedText, longest: number): EncodedText[][] {
  const groups: EncodedText[][] = [];
  let open: EncodedText[] = [];
  let length = 0;
  for (const piece of pieces) {
    const longer = length + between.tokens.length + piece.tokens.length;
    if (open.length > 0 && longer <= longest) {
      open.push(piece);
      length = longer;
      continue;
    }
    open = [piece];
    groups.push(open);
    length = piece.tokens.length;
  }
  return groups;
}

function joined(pieces: readonly EncodedText[], between: EncodedText): EncodedText {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const parts = pieces.flatMap((piece, i) => (i === 0 ? [piece] : [between, piece]));
  const tokens = new Int32Array(parts.reduce((sum, part) => sum + part.tokens.length, 0));
  let at = 0;
  for (const part of parts) {
    tokens.set(part.tokens, at);
    at += part.tokens.length;
  }
  return {tokens, bytes: parts.reduce((sum, part) => sum + part.bytes, 0)};
}

/** Two parts of a text, cut at the space nearest to the middle, else between two characters. */
function inHalves(text: string): [string, string] {
  const middle = Math.floor(text.length / 2);
  const [before, after] = [text.lastIndexOf(' ', middle), text.indexOf(' ', middle)];
  const nearest = after < 0 || (before >= 0 && middle - before <= after - middle) ? before : after;
  if (nearest > 0) return [text.slice(0, nearest), text.slice(nearest + 1)];
  const unit = text.charCodeAt(middle);
  const at = unit >= 0xdc00 && unit < 0xe000 ? middle - 1 : middle;
  return [text.slice(0, at), text.slice(at)];
}
