/** The first reading of the corpora as steps of a build: each corpus is kept as numbers in a file. */
import {open} from 'node:fs/promises';
import {z} from 'zod';
import type {Corpora, PairCorpus, TextCorpus} from '../corpus/corpora.js';
import {createFates} from '../corpus/fates.js';
import {documentFates, pairFates} from '../corpus/filter.js';
import {createNumberList} from '../corpus/numbers.js';
import {
  scanPairs,
  scanText,
  type Scan,
  type ScannedPairs,
  type ScannedText,
  type ScanOptions,
} from '../corpus/scan.js';
import type {Journal} from './journal.js';

/** How corpora are scanned in steps. */
interface ScanStepOptions extends ScanOptions {
  readonly journal: Journal;
  /** Called with the files of a corpus that was scanned by an earlier start. */
  onKnown(files: readonly string[]): void;
}

/**
 * Reads all corpora once, but those that an earlier start of the build has read.
 *
 * @throws what `scanText` and `scanPairs` throw; ERR_IO
 */
export async function scanCorpora(corpora: Corpora, options: ScanStepOptions): Promise<Scan> {
  const texts: ScannedText[] = [];
  for (const corpus of corpora.texts) texts.push(await scanTextOnce(corpus, options));
  const pairs: ScannedPairs[] = [];
  for (const corpus of corpora.pairs) pairs.push(await scanPairsOnce(corpus, options));
  return {texts, pairs};
}

const count = z.int().min(0);

const textSchema = z.strictObject({documents: count, sentences: count, hasGroups: z.boolean(), bytes: count});

async function scanTextOnce(corpus: TextCorpus, options: ScanStepOptions): Promise<ScannedText> {
  const {journal, onKnown} = options;
  const name = `scan.text.${corpus.language}`;
  const file = journal.scratchPath(name);
  let scanned: ScannedText | undefined;
  const {documents, sentences, hasGroups, bytes} = await journal.step(name, {
    schema: textSchema,
    files: [file],
    onKnown: () => onKnown(corpus.files),
    async work() {
      scanned = await scanText(corpus, options);
      const {fates, groups} = scanned;
      await writeArrays(file, [
        scanned.documents.values(),
        scanned.sentences.values(),
        ...(groups ? [groups] : []),
        fates.places(),
      ]);
      return {
        documents: scanned.documents.length,
        sentences: scanned.sentences.length,
        hasGroups: groups !== undefined,
        bytes: scanned.bytes,
      };
    },
  });
  if (scanned) return scanned;
  const arrays = await readArrays(file, [
    8 * documents,
    8 * sentences,
    hasGroups ? 4 * documents : 0,
    documents,
  ]);
  const [starts, hashes, groups, verdicts] = arrays;
  return {
    corpus,
    documents: createNumberList(new Float64Array(starts)),
    sentences: createNumberList(new Float64Array(hashes)),
    fates: createFates(documentFates, new Uint8Array(verdicts)),
    ...(hasGroups && {groups: new Int32Array(groups)}),
    bytes,
  };
}

const pairSchema = z.strictObject({pairs: count, hasGroups: z.boolean(), bytesX: count, bytesY: count});

async function scanPairsOnce(corpus: PairCorpus, options: ScanStepOptions): Promise<ScannedPairs> {
  const {journal, onKnown} = options;
  const {source, target, name: own} = corpus;
  const name = ['scan.pairs', ...(own === undefined ? [] : [own]), source, target].join('.');
  const file = journal.scratchPath(name);
  let scanned: ScannedPairs | undefined;
  const {pairs, hasGroups, bytesX, bytesY} = await journal.step(name, {
    schema: pairSchema,
    files: [file],
    onKnown: () => onKnown(corpus.files),
    async work() {
      scanned = await scanPairs(corpus, options);
      const {fates, groups, x, y} = scanned;
      await writeArrays(file, [x.values(), y.values(), ...(groups ? [groups] : []), fates.places()]);
      return {
        pairs: fates.length,
        hasGroups: groups !== undefined,
        bytesX: scanned.bytesX,
        bytesY: scanned.bytesY,
      };
    },
  });
  if (scanned) return scanned;
  const arrays = await readArrays(file, [8 * pairs, 8 * pairs, hasGroups ? 4 * pairs : 0, pairs]);
  const [x, y, groups, verdicts] = arrays;
  return {
    corpus,
    fates: createFates(pairFates, new Uint8Array(verdicts)),
    x: createNumberList(new Float64Array(x)),
    y: createNumberList(new Float64Array(y)),
    ...(hasGroups && {groups: new Int32Array(groups)}),
    bytesX,
    bytesY,
  };
}

/** Bytes read or written at once: Node takes less than 2^31. */
const blockBytes = 1 << 26;

async function writeArrays(
  path: string,
  arrays: readonly (Float64Array | Int32Array | Uint8Array)[],
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (const {buffer, byteOffset, byteLength} of arrays)
      for (let at = 0; at < byteLength; at += blockBytes)
        await file.writeFile(new Uint8Array(buffer, byteOffset + at, Math.min(blockBytes, byteLength - at)));
  } finally {
    await file.close();
  }
}

/** The arrays of a file whose bytes were checked, by their lengths in bytes. */
async function readArrays(
  path: string,
  [a, b, c, d]: readonly [number, number, number, number],
): Promise<[ArrayBuffer, ArrayBuffer, ArrayBuffer, ArrayBuffer]> {
  const file = await open(path, 'r');
  const next = async (bytes: number): Promise<ArrayBuffer> => {
    const array = new ArrayBuffer(bytes);
    for (let at = 0; at < bytes;) {
      const block = new Uint8Array(array, at, Math.min(blockBytes, bytes - at));
      const {bytesRead} = await file.read(block);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return array;
  };
  try {
    return [await next(a), await next(b), await next(c), await next(d)];
  } finally {
    await file.close();
  }
}
