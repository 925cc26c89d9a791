/** From text to ids as `crossmap data` does it, beside the tokenizer library alone on all cores, over the bundled text. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Tokenizer as Library} from 'tokenizers';
import {parseConfig} from '../../lib/config/index.js';
import {trainTokenizer} from '../../lib/data/index.js';
import {corporaOf, type TextCorpus} from '../../lib/data/corpus/corpora.js';
import {inOrder} from '../../lib/data/in-order.js';
import {createDocumentEncoder, encodedAhead} from '../../lib/data/shards/encode.js';
import {runBench} from '../support/bench.js';
import {sized} from '../support/quick.js';

const languages = sized(['ar', 'cs', 'en', 'hi', 'ta', 'uk', 'zh'], ['hi']);
const vocabSize = sized(8192, 320);
/** Longer than any sentence of the text: one that is cut has other ids than the whole. */
const longestSegment = 2048;

const data = fileURLToPath(new URL('../../../data', import.meta.url)); // from dist/bench/data

async function readAll(corpora: readonly TextCorpus[]): Promise<string[]> {
  const sentences: string[] = [];
  for (const corpus of corpora)
    for await (const documents of corpus.documents({})) sentences.push(...documents.flat());
  return sentences;
}

const folder = mkdtempSync(join(tmpdir(), 'crossmap-bench-'));
try {
  const files = languages.map((language) => `{language: ${language}, files: ${data}/${language}.txt.gz}`);
  const config = parseConfig(`data: {monolingual: [${files.join(', ')}]}\nobjectives: {recipe: mono}`);
  const corpora = (await corporaOf(config)).texts;
  const sentences = await readAll(corpora);
  const file = join(folder, 'tokenizer.json');
  const tokenizer = await trainTokenizer(sentences, {vocabSize, languages, file});
  const encoder = await createDocumentEncoder(tokenizer);
  const library = Library.fromFile(file);

  /** What a user of the library writes. */
  const byLibrary = async (): Promise<number[][]> => {
    const encodings = await library.encodeBatch(sentences, {addSpecialTokens: false});
    return encodings.map((encoding) => encoding.getIds());
  };
  const fromFiles = async (): Promise<Int32Array[]> => {
    const segments: Int32Array[] = [];
    for (const corpus of corpora) {
      const batches = inOrder(corpus.documents({}), {
        ahead: encodedAhead,
        work: (documents) => encoder.inSegments(documents, longestSegment),
      });
      for await (const batch of batches) for (const {tokens} of batch) segments.push(tokens);
    }
    return segments;
  };

  const wanted = (await byLibrary()).flat();
  const [between] = await tokenizer.encode('\n');
  /** Line ends stand between the sentences of a segment, and in none of them. */
  const withoutLineEnds = (ids: readonly Int32Array[]): number[] =>
    ids.flatMap((each) => [...each]).filter((id) => id !== between);
  const sameIds = (ours: () => Promise<readonly Int32Array[]>) => async (): Promise<void> => {
    const ids = withoutLineEnds(await ours());
    const at = wanted.findIndex((id, index) => id !== ids[index]);
    if (at !== -1 || ids.length !== wanted.length)
      throw new Error(`of ${ids.length} and ${wanted.length} ids, those at ${at} differ`);
  };

  const bytes = sentences.reduce((sum, sentence) => sum + Buffer.byteLength(sentence), 0);
  const text = `${(bytes / 1e6).toFixed(1)} MB in ${languages.length} languages`;
  const inMemory = (): Promise<Int32Array[]> => tokenizer.encodeAll(sentences);
  const peer = {name: 'tokenizers, encodeBatch of sentences in memory', run: byLibrary};
  await runBench({
    name: 'data/tokenize',
    cases: [
      {
        title: `sentences in memory to ids, ${text}`,
        ours: inMemory,
        peer,
        tokens: wanted.length,
        check: sameIds(inMemory),
      },
      {
        title: `compressed files to segments of ids, ${text}`,
        ours: fromFiles,
        peer,
        tokens: wanted.length,
        check: sameIds(fromFiles),
      },
    ],
  });
} finally {
  rmSync(folder, {recursive: true, force: true});
}
