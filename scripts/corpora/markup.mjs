// Text out of mark-up: Mallard, XHTML, DocBook and the help of LibreOffice, by one reader and a table of rules each.
import {SaxesParser} from 'saxes';
import {gap} from './judge.mjs';

/**
 * What elements mean. An element in none of the lists is its text.
 *
 * @typedef {object} Rules
 * @property {(name: string, kind: string) => boolean} isBlock a paragraph of its own; `kind` is its class
 * @property {readonly string[]} skip left out with all in it; `name` or `name.class`
 * @property {readonly string[]} gaps what text cannot say; a `gap` stands for it
 * @property {Readonly<Record<string, string>>} [between] of the children of an element: what text has between them
 * @property {Readonly<Record<string, string>>} [around] an element: quotation marks
 * @property {Readonly<Record<string, string>>} [entities] what they stand for, mark-up of its own
 */

/**
 * A paragraph.
 *
 * @typedef {object} Block
 * @property {string} path names of the elements around it, which tells whether two documents have one structure
 * @property {string} text with a line break where the mark-up has one
 */

/** The element that stands around a piece of mark-up which is no document. */
const piece = 'piece';

/**
 * The paragraphs of a document in order; a paragraph inside of another breaks its line. Nothing where it is not well-formed.
 *
 * @param {string} xml
 * @param {Rules} rules
 * @returns {Block[] | undefined}
 */
export function blocksOf(xml, rules) {
  const parser = new SaxesParser({xmlns: false});
  /** @type {Block[]} */
  const blocks = [];
  /** @type {{name: string, block: Block | undefined, children: number}[]} */
  const open = [];
  let silent = 0; // elements open inside of a skipped one, itself counted
  let isWhole = true;
  const add = (/** @type {string} */ text) => {
    const block = open.findLast((element) => element.block !== undefined)?.block;
    if (silent === 0 && block !== undefined) block.text += text;
  };
  Object.assign(parser.ENTITIES, namedCharacters);
  parser.on('error', () => void (isWhole = false));
  parser.on('opentag', ({name, attributes}) => {
    const kind = attributes['class'] ?? '';
    const names = [name, `${name}.${kind}`];
    const parent = open.at(-1);
    const between = rules.between?.[parent?.name ?? ''];
    if (between !== undefined && parent !== undefined && parent.children++ > 0) add(between);
    const isSkipped = names.some((each) => rules.skip.includes(each));
    if (silent > 0 || isSkipped) silent++;
    else if (names.some((each) => rules.gaps.includes(each))) {
      add(gap);
      silent++;
    }
    const path = open.map((element) => element.name).join('/');
    const block =
      silent === 0 && (name === piece || rules.isBlock(name, kind)) ? {path, text: ''} : undefined;
    if (block !== undefined || name === 'br') add('\n');
    if (block !== undefined) blocks.push(block);
    open.push({name, block, children: 0});
    add(rules.around?.[name] ?? '');
  });
  parser.on('closetag', ({name}) => {
    add(rules.around?.[name] ?? '');
    open.pop();
    if (silent > 0) silent--;
  });
  parser.on('text', (text) => {
    const parent = open.at(-1)?.name ?? '';
    if (rules.between?.[parent] === undefined || text.trim() !== '') add(text.replace(/\s+/g, ' '));
  });
  parser.write(xml).close();
  return isWhole ? blocks : undefined;
}

/**
 * The text of a piece of mark-up, such as a message of a catalogue. Nothing where it is not well-formed.
 *
 * @param {string} markup
 * @param {Rules} rules
 * @returns {string | undefined}
 */
export function textOf(markup, rules) {
  // Most messages have no mark-up, and a parser for each takes most of the time.
  if (!/[<&]/.test(markup)) return markup.replace(/\s+/g, ' ');
  return blocksOf(`<${piece}>${resolveEntities(markup, rules.entities ?? {})}</${piece}>`, rules)
    ?.map(({text}) => text)
    .join('\n');
}

const namedCharacters = {
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  bull: '•',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  copy: '©',
  trade: '™',
  eacute: 'é',
};

const keptEntities = new Set(['amp', 'lt', 'gt', 'quot', 'apos', ...Object.keys(namedCharacters)]);

/**
 * Entities of a document by what they stand for; an unknown one is a gap.
 *
 * @param {string} markup
 * @param {Readonly<Record<string, string>>} entities
 * @param {number} [depth] how far entities may still stand in each other
 * @returns {string}
 */
function resolveEntities(markup, entities, depth = 8) {
  return markup.replace(/&([a-zA-Z][\w.-]*);/g, (whole, /** @type {string} */ name) => {
    if (keptEntities.has(name)) return whole;
    const value = entities[name];
    return value === undefined || depth === 0 ? gap : resolveEntities(value, entities, depth - 1);
  });
}
