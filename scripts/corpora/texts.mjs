// How the text of each corpus lies in its packages.
import fs from 'node:fs';
import path from 'node:path';
import {listFiles} from '../setup/files.mjs';
import {entriesOf, messagesOf} from './catalogue.mjs';
import {gap} from './judge.mjs';
import {blocksOf, textOf} from './markup.mjs';
import {helpOfGame, orderOfStrings, textOfGame} from './wesnoth.mjs';

/** @typedef {import('./catalogue.mjs').Message} Message */
/** @typedef {import('./markup.mjs').Rules} Rules */

/**
 * @typedef {object} Text
 * @property {string} corpus name of the source
 * @property {readonly import('./packages.mjs').Package[]} packages
 * @property {(folders: readonly string[], language: string) => Message[]} messages from the unpacked packages, in order
 */

/** @type {readonly Text[]} */
export const texts = [
  {
    corpus: 'libreoffice-help',
    packages: [
      {
        name: 'libreoffice',
        kind: 'source',
        file: /orig-translations\.tar/,
        members: ['cs', 'de', 'es', 'fr', 'id', 'ru', 'tr', 'uk', 'zh-CN'].map(
          (code) => `translations/source/${code}/helpcontent2/*`,
        ),
      },
    ],
    messages: officeMessages,
  },
  {
    corpus: 'wesnoth',
    packages: ['data', ...'did dm dw ei httt l low nr sof sota sotbe thot trow tsg ttb utbs'.split(' ')].map(
      (part) => ({
        name: `wesnoth-1.16-${part}`,
        kind: 'binary',
        file: /\.deb$/,
        members: ['*.cfg', ...'cs de es fr id ru tr uk zh_CN'.split(' ').map((code) => `*/locale/${code}/*`)],
      }),
    ),
    messages: gameMessages,
  },
  {
    corpus: 'gnome-help',
    packages: [{name: 'gnome-user-docs', kind: 'binary', file: /\.deb$/, members: ['*.page']}],
    messages: desktopMessages,
  },
  {
    corpus: 'debian-handbook',
    packages: [{name: 'debian-handbook', kind: 'binary', file: /\.deb$/, members: ['*.html']}],
    messages: handbookMessages,
  },
  {
    corpus: 'installation-guide',
    packages: [
      {
        name: 'installation-guide',
        kind: 'source',
        file: /\.tar\.xz$/,
        members: ['*/po/*.po', '*/build/entities/*.ent'],
      },
    ],
    messages: guideMessages,
  },
];

/** @type {Rules} */
const officeRules = {
  isBlock: () => false,
  skip: ['bookmark_value', 'image', 'alt', 'caseinline'],
  gaps: ['embedvar', 'embed', 'object'],
};

/**
 * @param {readonly string[]} folders
 * @param {string} language
 */
function officeMessages([folder = ''], language) {
  const base = path.join(
    folder,
    'translations/source',
    language === 'zh' ? 'zh-CN' : language,
    'helpcontent2/source/text',
  );
  return filesBelow(base, '.po').flatMap((file) => {
    const section = file.replace(/\.po$/, '');
    return messagesOf(
      entriesOf(fs.readFileSync(path.join(base, file))),
      ({context}) => `${section}/${context.split('\n', 1)[0]}`,
      plainOffice,
    );
  });
}

/**
 * Its mark-up is not escaped where it is text, and its variables are names of the program for the most part.
 *
 * @param {string} markup
 */
function plainOffice(markup) {
  const text = markup
    .replace(/(?:%PRODUCTNAME|\$\[officename\])/g, 'LibreOffice')
    .replace(/%[A-Z]{2,}|\$\[\w+\]/g, gap)
    .replace(/&(?!(?:amp|lt|gt|quot);)/g, '&amp;')
    .replace(/<(?!\/?[a-z])/g, '&lt;');
  return textOf(text, officeRules);
}

/**
 * @param {readonly string[]} folders
 * @param {string} language
 */
function gameMessages(folders, language) {
  const code = language === 'zh' ? 'zh_CN' : language;
  const order = orderOfStrings(folders);
  return folders.flatMap((folder) =>
    filesBelow(folder, '.mo')
      .filter((file) => file.includes(`/locale/${code}/`))
      .flatMap((file) => {
        const domain = path.basename(file, '.mo');
        const entries = entriesOf(fs.readFileSync(path.join(folder, file)));
        return messagesOf(order.sort(domain, entries), (entry) => order.documentOf(domain, entry), plainGame);
      }),
  );
}

/** @param {string} markup */
function plainGame(markup) {
  return textOfGame(helpOfGame(markup));
}

/** @type {Rules} */
const desktopRules = {
  isBlock: (name) => ['p', 'desc', 'title', 'td'].includes(name),
  skip: ['credit', 'mal:credit', 'revision', 'include', 'license', 'screen', 'media', 'comment'],
  gaps: [],
  between: {guiseq: ' ▸ ', keyseq: '+'},
};

/**
 * @param {readonly string[]} folders
 * @param {string} language
 */
function desktopMessages([folder = ''], language) {
  const base = path.join(folder, 'usr/share/help');
  const own = path.join(base, language === 'zh' ? 'zh_CN' : language);
  return filesBelow(path.join(base, 'C'), '.page').flatMap((file) =>
    alignedBlocks(file, path.join(base, 'C', file), path.join(own, file), desktopRules),
  );
}

/** @type {Rules} */
const handbookRules = {
  isBlock: (name, kind) => name === 'p' || name === 'td' || /^(?:h\d|dt)$/.test(name) || kind === 'para',
  skip: [
    'head',
    'pre',
    'ul.docnav',
    'ul.docnav top',
    'p#title',
    'div.url',
    'div.toc',
    'div.mediaobject',
    'img',
  ],
  gaps: ['a.xref', 'sup'],
};

/**
 * @param {readonly string[]} folders
 * @param {string} language
 */
function handbookMessages([folder = ''], language) {
  const base = path.join(folder, 'usr/share/doc/debian-handbook/html');
  const own = fs.readdirSync(base).find((name) => name.startsWith(`${language}-`) && name !== 'zh-TW');
  if (own === undefined) return [];
  return filesBelow(path.join(base, 'en-US'), '.html').flatMap((file) =>
    alignedBlocks(file, path.join(base, 'en-US', file), path.join(base, own, file), handbookRules),
  );
}

/**
 * Paragraph n of one document beside paragraph n of the other, where both have the same elements in the same order. English alone where
 * they do not.
 *
 * @param {string} document
 * @param {string} englishFile
 * @param {string} otherFile
 * @param {Rules} rules
 * @returns {Message[]}
 */
function alignedBlocks(document, englishFile, otherFile, rules) {
  const english = blocksOf(fs.readFileSync(englishFile, 'utf8'), rules) ?? [];
  const other = fs.existsSync(otherFile) ? blocksOf(fs.readFileSync(otherFile, 'utf8'), rules) : undefined;
  const isAlike =
    other?.length === english.length && english.every(({path}, index) => path === other[index]?.path);
  return english.map(({text}, index) => ({
    document,
    english: text,
    other: isAlike ? (other[index]?.text ?? '') : '',
  }));
}

/** @type {Omit<Rules, 'entities'>} */
const guideRules = {
  isBlock: (name) => ['para', 'entry', 'term', 'listitem'].includes(name),
  skip: ['footnote', 'indexterm', 'footnoteref'],
  // A phrase is for some machines only, and others stand beside it.
  gaps: ['xref', 'phrase', 'informalexample', 'screen', 'itemizedlist', 'inlinemediaobject'],
  between: {keycombo: '+', menuchoice: ' ▸ '},
  around: {quote: '"'},
};

/**
 * @param {readonly string[]} folders
 * @param {string} language
 */
function guideMessages([folder = ''], language) {
  const all = filesBelow(folder, '');
  const rules = {
    ...guideRules,
    entities: entitiesOf(
      all
        .filter((file) => file.endsWith('.ent'))
        .map((file) => fs.readFileSync(path.join(folder, file), 'utf8')),
    ),
  };
  const code = language === 'zh' ? 'zh_CN' : language;
  return all
    .filter((file) => file.includes(`/po/${code}/`) && !file.endsWith('/gpl.po'))
    .flatMap((file) =>
      messagesOf(
        entriesOf(fs.readFileSync(path.join(folder, file))),
        () => path.basename(file, '.po'),
        (markup) => textOf(markup, rules),
      ),
    );
}

/**
 * The entities that files declare; of several declarations the first, as in XML.
 *
 * @param {readonly string[]} declarations
 * @returns {Record<string, string>}
 */
function entitiesOf(declarations) {
  /** @type {Record<string, string>} */
  const entities = {'arch-kernel': 'Linux'};
  for (const text of declarations)
    for (const [, name = '', value = ''] of text.matchAll(
      /<!ENTITY\s+([\w.-]+)\s+(?:"([^"]*)"|'([^']*)')\s*>/g,
    ))
      entities[name] ??= value;
  return entities;
}

/**
 * Files of a kind below a folder, relative to it, sorted.
 *
 * @param {string} folder
 * @param {string} ending
 */
function filesBelow(folder, ending) {
  return listFiles(['.'], (file) => file.endsWith(ending), folder);
}
