// What the house checks look at: the project's text files, held in memory so that tests can make up others.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {root} from '../setup/places.mjs';

/**
 * Paths are relative to the root with forward slashes, lines count from 1.
 *
 * @typedef {ReadonlyMap<string, string>} Project path to text
 * @typedef {{file: string, line: number, rule: string, message: string, level: 'error' | 'warning'}} Finding
 * @typedef {(project: Project) => Finding[]} Check
 */

const textFile =
  /(\.(ts|mjs|js|json|md|ya?ml|html|css|cc|h|cu|cuh|gyp|gypi|txt|sh|svg)|\/run|^\.[\w.]+|LICENSE|NOTICE)$/;
const largestText = 1_000_000;

/**
 * The files that git tracks or would add: build outputs and local files stay out.
 *
 * @returns {Project}
 */
export function readProject() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = [...new Set(listed.split('\0'))].filter((file) => textFile.test(file)).sort();
  /** @type {[string, string][]} */
  const entries = [];
  for (const file of files) {
    const stat = fs.lstatSync(path.join(root, file), {throwIfNoEntry: false});
    if (!stat?.isFile() || stat.size > largestText) continue;
    entries.push([file, fs.readFileSync(path.join(root, file), 'utf8')]);
  }
  return new Map(entries);
}

/**
 * @param {string} text
 * @param {number} offset
 */
export function lineAt(text, offset) {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/**
 * An error of a rule at a place.
 *
 * @param {string} rule
 * @param {string} file
 * @param {number} line
 * @param {string} message
 * @returns {Finding}
 */
export function finding(rule, file, line, message) {
  return {rule, file, line, message, level: 'error'};
}
