// All checks of the house rules.
import {checkIncludeCycles} from './cycles.mjs';
import {checkDeadExports, checkDocComments} from './exports.mjs';
import {checkForbidden} from './forbidden.mjs';
import {checkLayers} from './layers.mjs';
import {checkNames, checkOps, checkSizes, checkSources} from './shape.mjs';

/** @type {readonly import('./project.mjs').Check[]} */
const checks = [
  checkLayers,
  checkIncludeCycles,
  checkDeadExports,
  checkDocComments,
  checkForbidden,
  checkNames,
  checkOps,
  checkSizes,
  checkSources,
];

/**
 * @param {import('./project.mjs').Project} project
 * @returns {import('./project.mjs').Finding[]} by file and line
 */
export function checkHouse(project) {
  const found = checks.flatMap((check) => check(project));
  return found.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}
