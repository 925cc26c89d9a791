/** Segments laid out one after the other in a batch, without padding. */
import type {Batch, SegmentKind} from '../batch.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';

/** Ids of a text, without control tokens. */
type TextTokens = Int32Array | Uint16Array | Uint32Array;

/** A text to be packed. */
interface PackedText {
  readonly language: string;
  readonly tokens: TextTokens;
}

/** A side of a pair. */
export interface PackedSide extends PackedText {
  /** Equal for equal text, whatever the language. */
  readonly textId: number;
}

/** How pairs are laid out: `objectives.mapping` of the configuration. */
export interface PackerOptions {
  readonly tokenizer: Tokenizer;
  /** Tokens of one batch, at most. */
  readonly tokensPerBatch: number;
  /** Whether the source of a mapping segment, up to and including `<t>`, is a bidirectional prefix. */
  readonly prefix: boolean;
  /** Weight of the source tokens of a mapping segment; has no meaning inside a prefix, where every token sees its target. */
  readonly sourceWeight: number;
}

/** How a text segment deviates from `<bos> <xx> text <eos>` with weight 1 on text and `<eos>`. */
interface TextOptions {
  /** Whether `<eos>` follows; default true. */
  readonly ends?: boolean;
  /** Tokens of the text that have weight 0, from its start: context that is counted elsewhere; default 0. */
  readonly unweighted?: number;
}

/** Packs one batch after the other. What is added must fit: see `room`. */
export interface Packer {
  /** Tokens that still fit into the batch. */
  room(): number;
  /** `<bos> <xx> text <eos>` */
  addText(text: PackedText, options?: TextOptions): void;
  /** `<bos> <x> … <map> <y> … <eos>` and the same from y to x, with the spans of the pair. */
  addMapping(x: PackedSide, y: PackedSide): void;
  /** Two text segments with the spans of the pair. */
  addTextPair(x: PackedSide, y: PackedSide): void;
  /** The batch; the next one is empty. */
  finish(): Batch;
}

/** Control tokens of a text segment: `<bos> <xx>` and `<eos>`. */
export const textControls = 3;

/** Control tokens of a mapping segment: `<bos> <x>`, `<map> <y>` and `<eos>`. */
export const mappingControls = 5;

/** Control tokens before the first text token of any segment. */
export const leadingControls = 2;

/** An empty packer. */
export function createPacker({tokenizer, tokensPerBatch, prefix, sourceWeight}: PackerOptions): Packer {
  const {bos, eos, map} = tokenizer;
  const tokens = new Int32Array(tokensPerBatch);
  const targets = new Int32Array(tokensPerBatch);
  const weights = new Float32Array(tokensPerBatch);
  const positions = new Int32Array(tokensPerBatch);
  const languageIds = new Map(tokenizer.languages.map((code) => [code, tokenizer.language(code)]));
  let used = 0;
  let segments = createSegments();

  /** Appends one token; `weight` is that of the token as a target of the one before. */
  const put = (token: number, weight: number): void => {
    tokens[used] = token;
    if (used > segmentStart()) {
      targets[used - 1] = token;
      weights[used - 1] = weight;
    }
    positions[used] = used - segmentStart();
    used++;
  };
  /** As `put` for each token; never the first of a segment. */
  const putText = (text: TextTokens, weight: number, unweighted = 0): void => {
    const start = segmentStart();
    const end = used + text.length;
    for (let at = used, i = 0; at < end; at++, i++) {
      const token = text[i] ?? 0;
      tokens[at] = token;
      targets[at - 1] = token;
      weights[at - 1] = i < unweighted ? 0 : weight;
      positions[at] = at - start;
    }
    used = end;
  };
  const segmentStart = (): number => segments.starts.at(-1) ?? 0;
  const languageId = (code: string): number => languageIds.get(code) ?? tokenizer.language(code);

  const begin = (kind: SegmentKind, language: string, prefixLength = 0): void => {
    segments.starts.push(used);
    segments.kinds.push(kind);
    segments.languages.push(language);
    segments.prefixLengths.push(prefixLength);
    put(bos, 0);
  };
  const end = (): void => {
    targets[used - 1] = -1;
    weights[used - 1] = 0;
  };
  const addText = (text: PackedText, {ends = true, unweighted = 0}: TextOptions = {}): void => {
    begin('text', text.language);
    put(languageId(text.language), 0);
    putText(text.tokens, 1, unweighted);
    if (ends) put(eos, 1);
    end();
  };
  const addDirection = (from: PackedText, to: PackedText): void => {
    begin('mapping', to.language, prefix ? from.tokens.length + mappingControls - 1 : 0);
    put(languageId(from.language), 0);
    putText(from.tokens, prefix ? 0 : sourceWeight);
    put(map, 0);
    put(languageId(to.language), 0);
    putText(to.tokens, 1);
    put(eos, 1);
    end();
  };
  /** Adds the segments of both sides and keeps where the text of each begins. */
  const addPair = (
    x: PackedSide,
    y: PackedSide,
    addSide: (side: PackedSide, other: PackedSide) => void,
  ): void => {
    segments.xStarts.push(used + leadingControls);
    segments.xEnds.push(used + leadingControls + x.tokens.length);
    addSide(x, y);
    segments.yStarts.push(used + leadingControls);
    segments.yEnds.push(used + leadingControls + y.tokens.length);
    addSide(y, x);
    segments.textIds.push([x.textId, y.textId]);
  };
  return {
    room: () => tokensPerBatch - used,
    addText,
    addMapping: (x, y) => addPair(x, y, addDirection),
    addTextPair: (x, y) => addPair(x, y, (side) => addText(side)),
    finish() {
      const {starts, kinds, languages, prefixLengths, textIds} = segments;
      const batch: Batch = {
        tokens: tokens.slice(0, used),
        targets: targets.slice(0, used),
        weights: weights.slice(0, used),
        positions: positions.slice(0, used),
        segmentStarts: Int32Array.from([...starts, used]),
        prefixLengths: Int32Array.from(prefixLengths),
        kinds,
        languages,
        pairs: {
          xStarts: Int32Array.from(segments.xStarts),
          xEnds: Int32Array.from(segments.xEnds),
          yStarts: Int32Array.from(segments.yStarts),
          yEnds: Int32Array.from(segments.yEnds),
          groups: groupsOf(textIds),
        },
      };
      used = 0;
      segments = createSegments();
      return batch;
    },
  };
}

interface Segments {
  readonly starts: number[];
  readonly kinds: SegmentKind[];
  readonly languages: string[];
  readonly prefixLengths: number[];
  readonly xStarts: number[];
  readonly xEnds: number[];
  readonly yStarts: number[];
  readonly yEnds: number[];
  readonly textIds: (readonly [number, number])[];
}

function createSegments(): Segments {
  return {
    starts: [],
    kinds: [],
    languages: [],
    prefixLengths: [],
    xStarts: [],
    xEnds: [],
    yStarts: [],
    yEnds: [],
    textIds: [],
  };
}

/** Pairs that share a text, directly or through other pairs of the batch, are one group: the number of its first pair. */
function groupsOf(textIds: readonly (readonly [number, number])[]): Int32Array {
  const groups = Int32Array.from(textIds, (_, pair) => pair);
  const find = (pair: number): number => {
    let root = pair;
    while ((groups[root] ?? root) !== root) root = groups[root] ?? root;
    return root;
  };
  const firstWith = new Map<number, number>();
  textIds.forEach((ids, pair) => {
    for (const id of ids) {
      const first = find(firstWith.get(id) ?? pair);
      const own = find(pair);
      groups[Math.max(first, own)] = Math.min(first, own);
      firstWith.set(id, Math.min(first, own));
    }
  });
  return groups.map((_, pair) => find(pair));
}
