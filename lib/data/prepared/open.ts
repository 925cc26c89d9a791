/** Opens a folder of prepared data: checks every file, maps the token files. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {CrossmapError} from '../../errors.js';
import {createHeldOut, type HeldOut, type HeldOutText} from '../held-out/held-out.js';
import type {Breather} from '../pace.js';
import type {TrainingShards} from '../sampling/mixture.js';
import type {PairShard, TextShard} from '../sampling/source.js';
import {openShard, type Shard} from '../shards/shard.js';
import {loadTokenizer} from '../tokenizer/load.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import {fileNames, sha256, type Manifest} from './manifest.js';
import type {ProgressReporter} from './progress.js';

/** What lies in a folder, opened. */
interface OpenedFolder {
  readonly tokenizer: Tokenizer;
  readonly shards: TrainingShards;
  readonly heldOut: HeldOut;
  readonly heldOutTexts: readonly HeldOutText[];
}

/** What opening works with. */
interface OpenOptions {
  /** Tokens of the longest segment. */
  readonly context: number;
  readonly breather: Breather;
  readonly progress: ProgressReporter;
}

/** Held-out pairs of two languages, as their file has them. */
export const heldOutPairsSchema = z.strictObject({
  source: z.string(),
  target: z.string(),
  sources: z.array(z.string()),
  targets: z.array(z.string()),
});

/**
 * Opens what a manifest lists.
 *
 * @throws ERR_FORMAT for a file that is not the one that was written, with its name; ERR_IO; ERR_ABORTED
 */
export async function openFolder(
  folder: string,
  manifest: Manifest,
  {context, breather, progress}: OpenOptions,
): Promise<OpenedFolder> {
  const languages = manifest.texts.map(({language}) => language);
  await readChecked(folder, fileNames.tokenizer, manifest);
  const tokenizer = await loadTokenizer(join(folder, fileNames.tokenizer), {languages});
  const heldOutPairs = z
    .array(heldOutPairsSchema)
    .parse(JSON.parse(await readChecked(folder, fileNames.heldOutPairs, manifest)));
  const files = Object.keys(manifest.files).length;
  let opened = 0;
  const open = async (name: string): Promise<Shard> => {
    progress.report('load', opened++ / files);
    const shard = await openShard(join(folder, name), breather);
    if (shard.digest !== manifest.files[name]) throw replaced(join(folder, name));
    return shard;
  };
  const texts: TextShard[] = [];
  const heldOut: HeldOutText[] = [];
  for (const {language, shards} of manifest.texts) {
    if (shards === null) continue;
    texts.push({language, shard: await open(shards.training)});
    heldOut.push({language, shard: await open(shards.heldOut)});
  }
  const pairs: PairShard[] = [];
  for (const {source, target, name, shard} of manifest.pairs)
    pairs.push({source, target, name, shard: await open(shard)});
  progress.report('load', 1);
  return {
    tokenizer,
    shards: {texts, pairs},
    heldOutTexts: heldOut,
    heldOut: createHeldOut({
      tokenizer,
      texts: heldOut,
      pairs: heldOutPairs.filter(({sources}) => sources.length > 0),
      context,
    }),
  };
}

async function readChecked(folder: string, name: string, {files}: Manifest): Promise<string> {
  const path = join(folder, name);
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_IO', `cannot read ${path}: ${reason}`, {cause});
  }
  if (sha256(content) !== files[name]) throw replaced(path);
  return content.toString('utf8');
}

function replaced(path: string): CrossmapError {
  return new CrossmapError(
    'ERR_FORMAT',
    `${path} is not the file that was written: its checksum differs; remove its folder, and the data is prepared anew`,
  );
}
