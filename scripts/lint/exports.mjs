// Exports nobody imports, and public exports without a doc comment.
import {parseModule, resolveImport} from './modules.mjs';
import {finding} from './project.mjs';

/** @typedef {Map<string, import('./modules.mjs').Module>} Modules */

/**
 * An export is alive if another file imports it or a sub-path of package.json leads to it.
 *
 * @type {import('./project.mjs').Check}
 */
export function checkDeadExports(project) {
  const modules = parseAll(project);
  const alive = publicExports(project, modules);
  for (const [file, module] of modules) {
    for (const {from, names} of module.imports) {
      const target = resolveImport(file, from);
      if (target !== undefined) for (const name of names) resolveExport(modules, target, name, alive);
    }
  }
  return eachDeclaration(modules, ({name}, key) => {
    return alive.has(key) ? undefined : `${name} is exported, but nothing imports it and it is not public`;
  }).map((found) => ({...found, rule: 'dead-exports'}));
}

/** @type {import('./project.mjs').Check} */
export function checkDocComments(project) {
  const modules = parseAll(project);
  const open = publicExports(project, modules);
  return eachDeclaration(modules, ({name, documented}, key) => {
    return documented || !open.has(key)
      ? undefined
      : `${name} is public and has no doc comment right above it`;
  }).map((found) => ({...found, rule: 'doc-comments'}));
}

/**
 * @param {Modules} modules
 * @param {(declaration: import('./modules.mjs').Declaration, key: string) => string | undefined} complaint
 */
function eachDeclaration(modules, complaint) {
  return [...modules].flatMap(([file, {declarations}]) => {
    if (!file.startsWith('lib/')) return [];
    return declarations.flatMap((declaration) => {
      const message = complaint(declaration, `${file}#${declaration.name}`);
      return message === undefined ? [] : [finding('', file, declaration.line, message)];
    });
  });
}

/**
 * @param {import('./project.mjs').Project} project
 * @returns {Modules}
 */
function parseAll(project) {
  const files = [...project].filter(([file]) => /^(lib|test|bench|examples)\/.*\.ts$/.test(file));
  return new Map(files.map(([file, text]) => [file, parseModule(text)]));
}

/**
 * `file#name` of everything that the entries of package.json lead to.
 *
 * @param {import('./project.mjs').Project} project
 * @param {Modules} modules
 */
function publicExports(project, modules) {
  const {exports: entries = {}, bin = {}} = JSON.parse(project.get('package.json') ?? '{}');
  /** @type {Set<string>} */
  const open = new Set();
  const targets = [...Object.values(entries), ...Object.values(bin)].map((entry) => entry.default ?? entry);
  for (const target of targets) {
    const file = String(target)
      .replace(/^(\.\/)?dist\//, '')
      .replace(/\.js$/, '.ts');
    resolveExport(modules, file, '*', open);
  }
  return open;
}

/**
 * Marks the declaration behind an exported name, following `export … from`.
 *
 * @param {Modules} modules
 * @param {string} file
 * @param {string} name `*` for all
 * @param {Set<string>} marked
 */
function resolveExport(modules, file, name, marked) {
  const module = modules.get(file);
  if (!module || marked.has(`${file}#${name}`)) return;
  marked.add(`${file}#${name}`);
  if (name === '*') for (const declaration of module.declarations) marked.add(`${file}#${declaration.name}`);
  for (const {from, reexports} of module.imports) {
    const target = resolveImport(file, from);
    if (target === undefined) continue;
    for (const reexport of reexports) {
      if (reexport.as === '*') resolveExport(modules, target, name, marked);
      else if (name === '*' || reexport.as === name) resolveExport(modules, target, reexport.name, marked);
    }
  }
}
