/** Which format a file has. */
import {extname} from 'node:path';

/** Formats of text of one language. */
export type TextFormat = 'text' | 'jsonl' | 'parquet';

/** Formats of sentence pairs in one file. */
export type PairFormat = 'tsv' | 'jsonl' | 'parquet' | 'tmx' | 'po';

/** What the end of a name stands for; `.gz` and `.zst` behind it say nothing. */
const recordFormats = [
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.parquet', 'parquet'],
] as const;

const textFormats = new Map<string, TextFormat>(recordFormats);

const pairFormats = new Map<string, PairFormat>([
  ...recordFormats,
  ['.tmx', 'tmx'],
  ['.po', 'po'],
  ['.pot', 'po'],
]);

/** Default: one sentence a line. */
export function textFormatOf(file: string): TextFormat {
  return textFormats.get(extensionOf(file)) ?? 'text';
}

/** Default: tab-separated columns. */
export function pairFormatOf(file: string): PairFormat {
  return pairFormats.get(extensionOf(file)) ?? 'tsv';
}

function extensionOf(file: string): string {
  return extname(file.toLowerCase().replace(/\.(?:gz|zst)$/, ''));
}
