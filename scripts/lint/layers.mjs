// Who may know whom: the arrows of ARCHITECTURE, as data in layers.json.
import fs from 'node:fs';
import {parseModule, resolveImport} from './modules.mjs';
import {finding, lineAt} from './project.mjs';

/** @type {{lib: Record<string, string[]>, native: Record<string, string[]>}} */
const layers = JSON.parse(fs.readFileSync(new URL('layers.json', import.meta.url), 'utf8'));

/** @type {import('./project.mjs').Check} */
export function checkLayers(project) {
  return [...project].flatMap(([file, text]) => {
    if (/^lib\/.*\.ts$/.test(file)) return libFindings(project, file, text);
    if (/^native\/.*\.(cc|h|cu|cuh)$/.test(file)) return nativeFindings(file, text);
    return [];
  });
}

/**
 * @param {import('./project.mjs').Project} project
 * @param {string} file
 * @param {string} text
 */
function libFindings(project, file, text) {
  const layer = libLayer(file);
  const allowed = layers.lib[layer];
  if (!allowed) return [finding('layers', file, 1, `lib/${layer} has no row in scripts/lint/layers.json`)];
  return parseModule(text).imports.flatMap(({from, line}) => {
    const target = resolveImport(file, from);
    if (target === undefined) return packageFindings(project, file, line, from);
    if (!target.startsWith('lib/')) return [finding('layers', file, line, `lib must not import ${target}`)];
    const name = libLayer(target);
    if (name === layer || allowed.includes(name)) return [];
    if (allowed.some((entry) => target === `lib/${entry}.ts`)) return [];
    return [finding('layers', file, line, `${layer} must not know ${name}; it may know ${list(allowed)}`)];
  });
}

/**
 * What lib imports at run time must come with the package: Node itself, or a dependency.
 *
 * @param {import('./project.mjs').Project} project
 * @param {string} file
 * @param {number} line
 * @param {string} from
 */
function packageFindings(project, file, line, from) {
  if (from.startsWith('node:')) return [];
  const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/');
  const dependencies = JSON.parse(project.get('package.json') ?? '{}').dependencies ?? {};
  if (Object.hasOwn(dependencies, name)) return [];
  return [finding('layers', file, line, `${name} is not a dependency in package.json`)];
}

/**
 * @param {string} file
 * @param {string} text
 */
function nativeFindings(file, text) {
  const layer = file.split('/')[1] ?? '';
  const allowed = layers.native[layer];
  if (!allowed) return [finding('layers', file, 1, `native/${layer} has no row in scripts/lint/layers.json`)];
  return [...text.matchAll(/^#include\s+([<"])([^>"]+)[>"]/gm)].flatMap(([, , target = ''], index, all) => {
    const line = lineAt(text, all[index]?.index ?? 0);
    if (/^(napi|node_api|js_native_api|v8|uv|node)\.h$/.test(target)) {
      return layer === 'addon' ? [] : [finding('layers', file, line, `only native/addon may see ${target}`)];
    }
    const known = layers.native[target.split('/')[0] ?? ''];
    if (!known) return [];
    return includeFindings(file, line, layer, allowed, target);
  });
}

/**
 * @param {string} file
 * @param {number} line
 * @param {string} layer
 * @param {readonly string[]} allowed
 * @param {string} target relative to native
 */
function includeFindings(file, line, layer, allowed, target) {
  const [targetLayer = '', folder = '', name = ''] = target.split('/');
  if (!allowed.includes(targetLayer)) {
    return [
      finding('layers', file, line, `${layer} must not know ${targetLayer}; it may know ${list(allowed)}`),
    ];
  }
  const own = file.startsWith(`native/ops/${folder}/`);
  if (targetLayer !== 'ops' || own || name === `${folder}.h`) return [];
  // It tells which plan an op would use: pure functions.
  if (file === 'native/addon/plan-table.cc' && name.endsWith('-plan.h')) return [];
  return [
    finding('layers', file, line, `outside ops/${folder} only its contract ${folder}.h may be included`),
  ];
}

/** @param {string} file */
function libLayer(file) {
  return (file.split('/')[1] ?? '').replace(/\.ts$/, '');
}

/** @param {readonly string[]} names */
function list(names) {
  return names.length ? names.join(', ') : 'nothing';
}
