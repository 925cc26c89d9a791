/** The corpora of a configuration, all files of one language or language pair together. */
import type {Config} from '../../config/index.js';
import type {ReadOptions} from './bytes.js';
import {readDocuments, type Document, type DocumentOptions} from './documents.js';
import {expandPatterns} from './patterns.js';
import {readPairs, type PairFiles, type SentencePair} from './pairs.js';

/** Monolingual text of one language. */
export interface TextCorpus {
  readonly language: string;
  readonly files: readonly string[];
  /** Documents in the order of the files, some thousands of sentences at a time. */
  documents(options: CorpusOptions): AsyncGenerator<Document[]>;
}

/** Sentence pairs of two languages, of one source. */
export interface PairCorpus {
  readonly source: string;
  readonly target: string;
  /** Name of the source of pairs, as `data.stages` has it; absent where the configuration gives none. */
  readonly name?: string | undefined;
  readonly files: readonly string[];
  /** Pairs in the order of the files, some thousands at a time. */
  pairs(options: CorpusOptions): AsyncGenerator<SentencePair[]>;
}

export interface Corpora {
  readonly texts: readonly TextCorpus[];
  readonly pairs: readonly PairCorpus[];
}

export type CorpusOptions = Omit<ReadOptions, 'option'>;

interface TextFile extends Pick<DocumentOptions, 'format' | 'field' | 'option'> {
  readonly file: string;
}

/**
 * Languages and language pairs in the order in which the configuration first names them.
 *
 * @throws ERR_DATA for a pattern that no file matches
 */
export async function corporaOf({data}: Config): Promise<Corpora> {
  return {
    texts: textCorpora(await filesOf(data.monolingual ?? [])),
    pairs: pairCorpora(await pairFilesOf(data.parallel ?? [])),
  };
}

type TextEntries = NonNullable<Config['data']['monolingual']>;
type PairEntries = NonNullable<Config['data']['parallel']>;

async function filesOf(entries: TextEntries): Promise<(TextFile & {readonly language: string})[]> {
  const all = entries.map(async ({files, ...entry}, index) => {
    const option = `data.monolingual[${index}]`;
    return (await expandPatterns(files, option)).map((file) => ({...entry, file, option}));
  });
  return (await Promise.all(all)).flat();
}

interface NamedPairs extends PairFiles {
  readonly name?: string | undefined;
}

function pairFilesOf(entries: PairEntries): Promise<NamedPairs[]> {
  return Promise.all(
    entries.map(async ({file, ...entry}, index) => {
      const option = `data.parallel[${index}]`;
      return {...entry, option, ...(file && {file: await expandPatterns(file, option)})};
    }),
  );
}

function textCorpora(files: readonly (TextFile & {readonly language: string})[]): TextCorpus[] {
  const byLanguage = groupBy(files, ({language}) => language);
  return [...byLanguage].map(([language, own]) => ({
    language,
    files: own.map(({file}) => file),
    async *documents(options) {
      for (const {file, ...rest} of own) yield* readDocuments(file, {...options, ...rest});
    },
  }));
}

/** Both directions are always trained, so pairs en-cs and cs-en are one corpus; the first entry decides which side is the source. */
function pairCorpora(entries: readonly NamedPairs[]): PairCorpus[] {
  const byPair = groupBy(entries, ({name = '', source, target}) =>
    [name, ...[source, target].sort()].join(' '),
  );
  return [...byPair.values()].flatMap((corpora) => {
    const [first] = corpora;
    if (first === undefined) return [];
    const {source, target, name} = first;
    const files = corpora.flatMap((corpus) => corpus.files ?? corpus.file ?? []);
    return {
      source,
      target,
      name,
      files,
      async *pairs(options) {
        for (const corpus of corpora)
          for await (const pairs of readPairs(corpus, options))
            yield corpus.source === source ? pairs : pairs.map(([x, y]): SentencePair => [y, x]);
      },
    };
  });
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
