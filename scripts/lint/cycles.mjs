// Headers that include each other in a circle: `#pragma once` would hide it until an order breaks. (Cycles of
// TypeScript modules are found by oxlint.)
import {finding, lineAt} from './project.mjs';

/** @type {import('./project.mjs').Check} */
export function checkIncludeCycles(project) {
  const headers = [...project.keys()].filter((file) => /^native\/.*\.(h|cuh)$/.test(file));
  /** @type {Set<string>} */
  const done = new Set();
  /** @type {import('./project.mjs').Finding[]} */
  const found = [];
  for (const header of headers) visit(project, header, [], done, found);
  return found;
}

/**
 * Depth first; `trail` is the way from the start to here, and a file that is on it closes a circle.
 *
 * @param {import('./project.mjs').Project} project
 * @param {string} file
 * @param {readonly string[]} trail
 * @param {Set<string>} done
 * @param {import('./project.mjs').Finding[]} found
 */
function visit(project, file, trail, done, found) {
  const text = project.get(file);
  if (text === undefined || done.has(file)) return;
  const way = [...trail, file];
  for (const match of text.matchAll(/^#include\s+"([^"]+)"/gm)) {
    const target = `native/${match[1]}`;
    if (way.includes(target)) {
      const circle = [...way.slice(way.indexOf(target)), target].join(' -> ');
      found.push(finding('include-cycle', file, lineAt(text, match.index), circle));
    } else visit(project, target, way, done, found);
  }
  done.add(file);
}
