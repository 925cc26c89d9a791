// The import and export statements of a TypeScript module. Prettier puts each at the start of a line, so they
// are found by their form and need no parser.
import path from 'node:path';
import {lineAt} from './project.mjs';

/**
 * @typedef {object} Import
 * @property {string} from as written
 * @property {number} line
 * @property {readonly string[]} names exported names that are taken; `*` for all
 * @property {readonly {name: string, as: string}[]} reexports what of it this module exports in turn
 *
 * @typedef {object} Declaration
 * @property {string} name
 * @property {number} line
 * @property {boolean} documented a doc comment ends on the line above
 *
 * @typedef {{imports: readonly Import[], declarations: readonly Declaration[]}} Module
 */

const importStatement = /^import\s+(?:type\s+)?([^;'"]*?)\s*from\s*'([^']+)';|^import\s+'([^']+)';/gm;
const exportFrom = /^export\s+(?:type\s+)?(\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*'([^']+)';/gm;
const exportList = /^export\s+(?:type\s+)?\{([^}]*)\};/gm;
const dynamicImport = /\bimport\('([^']+)'\)/g;
const declaration =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|const|let|interface|type)\s+([\w$]+)/gm;
const destructured = /^export\s+const\s+[{[]([^}\]]*)[}\]]/gm;

/**
 * @param {string} text
 * @returns {Module}
 */
export function parseModule(text) {
  return {imports: imports(text), declarations: declarations(text)};
}

/**
 * The file that a relative import means, relative to the root; nothing for a package.
 *
 * @param {string} file
 * @param {string} from
 */
export function resolveImport(file, from) {
  if (!from.startsWith('.')) return undefined;
  return path.posix.join(path.posix.dirname(file), from).replace(/\.js$/, '.ts');
}

/** @param {string} text */
function imports(text) {
  /** @type {Import[]} */
  const found = [];
  for (const match of text.matchAll(importStatement)) {
    const from = match[2] ?? match[3] ?? '';
    found.push({from, line: lineAt(text, match.index), names: importedNames(match[1] ?? ''), reexports: []});
  }
  for (const match of text.matchAll(exportFrom)) {
    const [, clause = '', from = ''] = match;
    const reexports = clause.startsWith('*') ? [{name: '*', as: namespaceName(clause)}] : pairs(clause);
    found.push({from, line: lineAt(text, match.index), names: [], reexports});
  }
  for (const match of text.matchAll(dynamicImport)) {
    found.push({from: match[1] ?? '', line: lineAt(text, match.index), names: ['*'], reexports: []});
  }
  return found;
}

/** @param {string} text */
function declarations(text) {
  /** @type {Declaration[]} */
  const found = [];
  /** @type {(name: string, offset: number) => void} */
  const add = (name, offset) => {
    if (found.some((other) => other.name === name)) return; // an overload
    const above = text.slice(0, offset);
    found.push({name, line: lineAt(text, offset), documented: /\/\*\*(?:(?!\*\/)[^])*\*\/\n$/.test(above)});
  };
  for (const match of text.matchAll(declaration)) add(match[1] ?? '', match.index);
  for (const pattern of [destructured, exportList]) {
    for (const match of text.matchAll(pattern)) {
      for (const {as} of pairs(match[1] ?? '')) add(as, match.index);
    }
  }
  return found;
}

/** @param {string} clause between `import` and `from` */
function importedNames(clause) {
  if (clause.includes('*')) return ['*'];
  const braces = /\{([^}]*)\}/.exec(clause);
  const names = pairs(braces?.[1] ?? '').map(({name}) => name);
  return /^\w/.test(clause.trim()) ? ['default', ...names] : names;
}

/** @param {string} list `a, type b as c` */
function pairs(list) {
  return list
    .replace(/[{}]/g, '')
    .split(',')
    .map((part) => part.trim().replace(/^type\s+/, ''))
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', as = name] = part.split(/\s+as\s+|\s*:\s*/);
      return {name, as: as.replace(/\s*=.*$/, '')};
    });
}

/** @param {string} clause `*` or `* as name` */
function namespaceName(clause) {
  return /as\s+(\w+)/.exec(clause)?.[1] ?? '*';
}
