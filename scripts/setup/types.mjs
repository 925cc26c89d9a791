// TypeScript: dist as the sources have it.
import fs from 'node:fs';
import path from 'node:path';
import {capture} from './commands.mjs';
import {fingerprints, hash, listFiles, readJson, writeJson} from './files.mjs';
import {inRoot, toolScript} from './places.mjs';
import {SetUpError, say, since} from './say.mjs';

const sourceFolders = ['lib', 'bench', 'test', 'examples'];
const stampFile = inRoot('dist', '.stamp.json');
const buildInfo = inRoot('dist', '.tsbuildinfo');

export function typesAreCurrent() {
  return readJson(stampFile)?.inputs === inputs(sources()) && outputsExist();
}

/** Compiles what changed and removes what no source stands for any more: ava would run it. */
export async function compileTypes() {
  const start = performance.now();
  const files = sources();
  const before = inputs(files);
  say('compiling TypeScript');
  if (!outputsExist()) fs.rmSync(buildInfo, {force: true});
  const {status, output} = await capture([
    process.execPath,
    toolScript('typescript', 'bin/tsc'),
    '-p',
    '.',
    '--pretty',
    'false',
  ]);
  if (status !== 0) throw new SetUpError(`TypeScript finds mistakes:\n\n${output.trimEnd()}\n`);
  removeOrphans(files);
  writeJson(stampFile, {inputs: before});
  say(`TypeScript compiled in ${since(start)}`);
}

function sources() {
  return listFiles(sourceFolders, (file) => file.endsWith('.ts') && !file.includes('/node_modules/'));
}

/** @param {readonly string[]} files */
function inputs(files) {
  return hash(JSON.stringify(fingerprints([...files, 'tsconfig.json', 'package.json', 'package-lock.json'])));
}

function outputsExist() {
  return sources().every((file) => file.endsWith('.d.ts') || fs.existsSync(inRoot('dist', outputOf(file))));
}

/** @param {string} source */
function outputOf(source) {
  return source.replace(/\.ts$/, '.js');
}

/** @param {readonly string[]} files */
function removeOrphans(files) {
  const kept = new Set(files.map((file) => file.replace(/\.ts$/, '')));
  for (const folder of sourceFolders) {
    for (const output of listFiles([`dist/${folder}`])) {
      const stem = path.posix.relative('dist', output).replace(/(\.d\.ts|\.js)(\.map)?$/, '');
      if (stem !== path.posix.relative('dist', output) && !kept.has(stem)) fs.rmSync(inRoot(output));
    }
  }
}
