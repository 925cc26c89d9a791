/** `data.json`: what a folder of prepared data holds, and what it was made from. */
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {CrossmapError} from '../../errors.js';

/** Names of the files that every folder of prepared data has. */
export const fileNames = {
  manifest: 'data.json',
  tokenizer: 'tokenizer.json',
  heldOutPairs: 'held-out-pairs.json',
} as const;

const count = z.int().min(0);

/** Of what was left out. */
export const examplesSchema = z.array(z.strictObject({reason: z.string(), text: z.string()}));

const text = z.strictObject({
  language: z.string(),
  /** Token files of the segments to train on and of the held-out documents; `null` for a language that occurs in pairs alone. */
  shards: z.strictObject({training: z.string(), heldOut: z.string()}).nullable(),
  read: z.strictObject({documents: count, sentences: count}),
  dropped: z.strictObject({script: count, duplicate: count, nearDuplicate: count, heldOutSentence: count}),
  examples: examplesSchema,
  fertility: z.number(),
  bytesPerToken: z.number(),
  /** Absent where an older program wrote the folder. */
  tokensPerCharacter: z.number().exactOptional(),
});

const pair = z.strictObject({
  source: z.string(),
  target: z.string(),
  /** Of the source of pairs. */
  name: z.string().exactOptional(),
  shard: z.string(),
  read: count,
  dropped: z.strictObject({
    empty: count,
    identical: count,
    ratio: count,
    script: count,
    duplicate: count,
    nearDuplicate: count,
    heldOutSentence: count,
    tooLong: count,
  }),
  examples: examplesSchema,
  heldOut: count,
});

/** Tells our folders from those that must not be replaced. */
const format = 'crossmap data';

const headSchema = z.looseObject({format: z.literal(format)});

const manifestSchema = z.strictObject({
  format: z.literal(format),
  version: z.literal(2),
  /** What it was made from, options and files: with others the folder is stale. */
  fingerprint: z.string(),
  tokenizerTrained: z.boolean(),
  texts: z.array(text),
  pairs: z.array(pair),
  /** SHA-256 of every other file; of token files, that of their contents which their header has. */
  files: z.record(z.string(), z.string()),
});

/** What `data.json` holds. */
export type Manifest = z.output<typeof manifestSchema>;

/** The text of one language in a manifest. */
export type ManifestText = z.output<typeof text>;

/** The pairs of two languages in a manifest. */
export type ManifestPair = z.output<typeof pair>;

/** A manifest of this version. */
export function createManifest(content: Omit<Manifest, 'format' | 'version'>): Manifest {
  return {format, version: 2, ...content};
}

/**
 * The manifest of a folder; nothing for one of another version.
 *
 * @throws ERR_FORMAT for a folder that is no prepared data, or whose manifest is damaged
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(folder, fileNames.manifest), 'utf8'));
  } catch (cause) {
    throw foreign(folder, cause);
  }
  if (!headSchema.safeParse(value).success) throw foreign(folder);
  return manifestSchema.safeParse(value).data;
}

function foreign(folder: string, cause?: unknown): CrossmapError {
  return new CrossmapError(
    'ERR_FORMAT',
    `${folder} is no prepared data: it has no readable ${fileNames.manifest}; remove the folder, or name another one`,
    {cause},
  );
}

/** Identity of prepared data: that of its files, wherever they lie. */
export function identityOf({files}: Pick<Manifest, 'files'>): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify(sorted)).slice(0, 32);
}

/** SHA-256, hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
