/** The corpora of a configuration, all files of one language or language pair together. */
import type {Config} from '../../config/index.js';
import {readDocuments, type Document} from './documents.js';
import type {ReadOptions} from './lines.js';
import {readPairs, type PairFiles, type SentencePair} from './pairs.js';

/** Monolingual text of one language. */
export interface TextCorpus {
  readonly language: string;
  readonly files: readonly string[];
  /** Documents in the order of the files, some thousands of sentences at a time. */
  documents(options: CorpusOptions): AsyncGenerator<Document[]>;
}

/** Sentence pairs of two languages. */
export interface PairCorpus {
  readonly source: string;
  readonly target: string;
  readonly files: readonly string[];
  /** Pairs in the order of the files, some thousands at a time. */
  pairs(options: CorpusOptions): AsyncGenerator<SentencePair[]>;
}

export interface Corpora {
  readonly texts: readonly TextCorpus[];
  readonly pairs: readonly PairCorpus[];
}

export type CorpusOptions = Omit<ReadOptions, 'option'>;

interface OptionFile {
  readonly file: string;
  readonly option: string;
}

/** Languages and language pairs in the order in which the configuration first names them. */
export function corporaOf({data}: Config): Corpora {
  return {texts: textCorpora(data.monolingual ?? []), pairs: pairCorpora(data.parallel ?? [])};
}

function textCorpora(entries: NonNullable<Config['data']['monolingual']>): TextCorpus[] {
  const byLanguage = new Map<string, OptionFile[]>();
  for (const [index, {language, files}] of entries.entries()) {
    const option = `data.monolingual[${index}]`;
    const known = byLanguage.get(language) ?? [];
    byLanguage.set(language, [...known, ...files.map((file) => ({file, option}))]);
  }
  return [...byLanguage].map(([language, files]) => ({
    language,
    files: files.map(({file}) => file),
    async *documents(options) {
      for (const {file, option} of files) yield* readDocuments(file, {...options, option});
    },
  }));
}

/** Both directions are always trained, so pairs en-cs and cs-en are one corpus; the first entry decides which side is the source. */
function pairCorpora(entries: NonNullable<Config['data']['parallel']>): PairCorpus[] {
  const byPair = new Map<string, PairFiles[]>();
  for (const [index, entry] of entries.entries()) {
    const key = [entry.source, entry.target].sort().join(' ');
    const known = byPair.get(key) ?? [];
    byPair.set(key, [...known, {...entry, option: `data.parallel[${index}]`}]);
  }
  return [...byPair.values()].flatMap((corpora) => {
    const [first] = corpora;
    if (first === undefined) return [];
    const {source, target} = first;
    const files = corpora.flatMap(
      (corpus) => corpus.files ?? (corpus.file === undefined ? [] : [corpus.file]),
    );
    return {
      source,
      target,
      files,
      async *pairs(options) {
        for (const corpus of corpora)
          for await (const pairs of readPairs(corpus, options))
            yield corpus.source === source ? pairs : pairs.map(([x, y]): SentencePair => [y, x]);
      },
    };
  });
}
