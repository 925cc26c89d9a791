/** A supply of training text that is gone through again and again, each time in another seeded order. */
import {hashText} from '../corpus/hash.js';
import type {Shard} from '../shards/shard.js';
import {mappingControls, textControls, type PackedSide, type Packer} from './packer.js';
import {permuted} from './permutation.js';

/** Text of one language, as shards hold it: each text is a segment. */
export interface TextShard {
  /** Code of the language. */
  readonly language: string;
  /** Its documents. */
  readonly shard: Shard;
}

/** Pairs of two languages, as shards hold them: texts 2n and 2n + 1 are the sides of pair n. */
export interface PairShard {
  /** Language of the first text of each pair. */
  readonly source: string;
  /** Language of the second text of each pair. */
  readonly target: string;
  /** Name of the source of pairs, for `data.stages`; absent where the configuration gives none. */
  readonly name?: string | undefined;
  /** Texts in turn: source, target, source, target. */
  readonly shard: Shard;
}

/** What a batch takes from a source at once: a segment, or the two segments of a pair. */
export interface Source {
  readonly name: string;
  readonly units: number;
  /** Packed tokens of one pass, control tokens included. */
  readonly tokens: number;
  readonly bytes: number;
  /** Packed tokens of a unit. */
  length(unit: number): number;
  add(unit: number, packer: Packer): void;
}

/** Monolingual text, a segment at a time. */
export function textSource({language, shard}: TextShard): Source {
  return {
    name: `text:${language}`,
    units: shard.texts,
    tokens: shard.tokens + textControls * shard.texts,
    bytes: shard.bytes,
    length: (unit) => shard.length(unit) + textControls,
    add: (unit, packer) => packer.addText({language, tokens: shard.text(unit)}),
  };
}

/** One side of pairs as text of its own, in an order of its own. */
export function sideSource(pair: PairShard, side: 0 | 1): Source {
  const {source, target, shard} = pair;
  const language = side === 0 ? source : target;
  let [tokens, bytes] = [0, 0];
  for (let text = side; text < shard.texts; text += 2) {
    tokens += shard.length(text) + textControls;
    bytes += shard.byteLength(text);
  }
  return {
    name: `side:${pairName(pair)}:${language}`,
    units: shard.texts / 2,
    tokens,
    bytes,
    length: (unit) => shard.length(2 * unit + side) + textControls,
    add: (unit, packer) => packer.addText({language, tokens: shard.text(2 * unit + side)}),
  };
}

/** Pairs as two segments in one batch: mapping in both directions, or two texts whose spans are aligned. */
export function pairSource(pair: PairShard, layout: 'mapping' | 'texts'): Source {
  const {source, target, shard} = pair;
  const controls = 2 * (layout === 'mapping' ? mappingControls : textControls);
  const copies = layout === 'mapping' ? 2 : 1;
  const sides = (unit: number): [PackedSide, PackedSide] => [
    {language: source, tokens: shard.text(2 * unit), textId: shard.textId(2 * unit)},
    {language: target, tokens: shard.text(2 * unit + 1), textId: shard.textId(2 * unit + 1)},
  ];
  return {
    name: `pair:${pairName(pair)}`,
    units: shard.texts / 2,
    tokens: copies * shard.tokens + (controls * shard.texts) / 2,
    bytes: shard.bytes,
    length: (unit) => copies * (shard.length(2 * unit) + shard.length(2 * unit + 1)) + controls,
    add: (unit, packer) =>
      layout === 'mapping' ? packer.addMapping(...sides(unit)) : packer.addTextPair(...sides(unit)),
  };
}

/** `en/cs`, `sentences:en/cs` */
function pairName({name, source, target}: PairShard): string {
  return `${name === undefined ? '' : `${name}:`}${source}/${target}`;
}

/** A source with a place in it. */
export interface Cursor {
  readonly source: Source;
  /** Units and packed tokens taken so far. */
  taken: number;
  tokens: number;
  /** Packed tokens of the unit that comes next. */
  nextLength(): number;
  /** Moves the next unit into a batch. */
  take(packer: Packer): void;
}

/** A cursor at the start of a source. Every pass goes through all units once, in an order that seed, name and pass decide. */
export function createCursor(source: Source, seed: number): Cursor {
  const key = (pass: number): number => hashText(`${seed} ${source.name} ${pass}`) | 0;
  let known = -1;
  let unit = 0;
  const next = (): number => {
    if (known === cursor.taken) return unit;
    known = cursor.taken;
    const place = known % source.units;
    unit = permuted(place, source.units, key((known - place) / source.units));
    return unit;
  };
  const cursor: Cursor = {
    source,
    taken: 0,
    tokens: 0,
    nextLength: () => source.length(next()),
    take(packer) {
      const now = next();
      source.add(now, packer);
      cursor.taken++;
      cursor.tokens += source.length(now);
    },
  };
  return cursor;
}

/** The longest text of a text segment, in tokens, in segments of at most `context`. */
export function longestText(context: number): number {
  return context - textControls;
}

/** The longest pair, in text tokens of both sides together: a segment must fit into a context, both into a batch. */
export function longestPair(context: number, tokensPerBatch: number): number {
  return Math.min(context, Math.floor(tokensPerBatch / 2)) - mappingControls;
}
