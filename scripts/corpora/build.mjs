// Corpora from packages, one after the other: messages of all languages are read, then sentences chosen.
import {Buffer} from 'node:buffer';
import path from 'node:path';
import {withLock} from '../setup/lock.mjs';
import {say, since} from '../setup/say.mjs';
import {documentsOfText, pairsOf, sentencesOf} from './choose.mjs';
import {Apt, bytesOf, megabytes, versionOf} from './packages.mjs';
import {withProgress} from './progress.mjs';
import {languages, sourceOf} from './sources.mjs';
import {texts} from './texts.mjs';
import {unpackAll} from './unpack.mjs';

/** @typedef {import('./catalogue.mjs').Message} Message */
/** @typedef {import('./write.mjs').Corpus} Corpus */
/** @typedef {import('./write.mjs').Pair} Pair */

/**
 * Makes all corpora.
 *
 * @param {string} cache folder that downloads are kept in, and what is unpacked of them
 * @param {readonly string[]} names of those that are wanted
 * @returns {Promise<Corpus[]>}
 */
export function buildCorpora(cache, names) {
  const lock = {file: path.join(cache, 'lock'), what: 'another run with the same cache'};
  return withLock(() => buildAlone(cache, names), lock);
}

/**
 * @param {string} cache
 * @param {readonly string[]} names
 */
async function buildAlone(cache, names) {
  const chosen = texts.filter(({corpus}) => names.includes(corpus));
  const apt = new Apt(cache);
  await apt.update();
  const found = await apt.find(chosen.flatMap(({packages}) => packages));
  say(`packages: ${found.length}, ${megabytes(bytesOf(found.flatMap(({archives}) => archives)))}`);
  const folders = await unpackAll(apt, found);
  /** @type {Corpus[]} */
  const corpora = [];
  for (const text of chosen) {
    const start = performance.now();
    const own = found.filter(({wanted}) => text.packages.includes(wanted));
    const inputs = own.flatMap(({archives}) => archives.map(({name, sha256}) => ({name, sha256})));
    const versions = new Set(inputs.map(({name}) => versionOf(name)));
    const messages = await readMessages(
      text,
      text.packages.map((wanted) => folders.get(wanted) ?? ''),
    );
    corpora.push({
      source: sourceOf(text.corpus),
      version: [...versions].join(', '),
      inputs,
      ...(await chooseText(text.corpus, messages)),
    });
    say(`${text.corpus} in ${since(start)}`);
  }
  return corpora;
}

/**
 * The messages of each language.
 *
 * @param {import('./texts.mjs').Text} text
 * @param {readonly string[]} folders
 */
async function readMessages({corpus, messages}, folders) {
  /** @type {Map<string, Message[]>} */
  const all = new Map();
  const compact = makeCompact();
  await inEachLanguage(`${corpus}, reading`, (language) => {
    all.set(language, messages(folders, language).map(compact));
  });
  return all;
}

/**
 * A string that was cut out of a file, or put together by a parser, keeps all that it was made of in memory, which is several times the
 * text. These are copies, and the English of all languages is one.
 *
 * @returns {(message: Message) => Message}
 */
function makeCompact() {
  /** @type {Map<string, string>} */
  const known = new Map();
  const copy = (/** @type {string} */ text) => Buffer.from(text).toString();
  const once = (/** @type {string} */ text) => {
    const own = known.get(text) ?? copy(text);
    known.set(own, own);
    return own;
  };
  return ({document, english, other}) => ({
    document: once(document),
    english: once(english),
    other: copy(other),
  });
}

/**
 * @param {string} corpus
 * @param {ReadonlyMap<string, readonly Message[]>} all messages by language
 */
async function chooseText(corpus, all) {
  const english = englishOf([...all.values()]);
  const textDocuments = documentsOfText(corpus, english);
  const isText = (/** @type {Message} */ {document}) => textDocuments.has(document);
  const isPaired = (/** @type {Message} */ message) => !isText(message);
  /** @type {Map<string, Pair[]>} */
  const pairs = new Map();
  const mono = new Map([['en', sentencesOf(english.filter(isText), 'en')]]);
  await inEachLanguage(`${corpus}, choosing`, (language) => {
    const messages = all.get(language) ?? [];
    pairs.set(language, pairsOf(messages.filter(isPaired), language));
    mono.set(language, sentencesOf(messages.filter(isText), language));
  });
  return {pairs, mono};
}

/**
 * @param {string} name of the work, for people
 * @param {(language: string) => void} work
 */
function inEachLanguage(name, work) {
  return withProgress({name, total: languages.length, unit: 'languages'}, async (at) => {
    for (const [index, language] of languages.entries()) {
      work(language);
      at(index + 1);
    }
  });
}

/**
 * The English of all languages together, each message of a document once.
 *
 * @param {readonly (readonly Message[])[]} lists
 */
function englishOf(lists) {
  /** @type {Map<string, Message>} */
  const known = new Map();
  for (const message of lists.flat()) {
    const key = `${message.document}\n${message.english}`;
    if (!known.has(key)) known.set(key, message);
  }
  return [...known.values()];
}
