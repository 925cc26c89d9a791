// What kernels are called, from the names that compilers give their code.
import {spawnSync} from 'node:child_process';
import {isOnPath} from '../setup/commands.mjs';
import {SetUpError} from '../setup/say.mjs';

/** A program that turns symbols into names. */
export function findDemangler() {
  const filter = ['c++filt', 'llvm-cxxfilt'].find(isOnPath);
  if (!filter) throw new SetUpError('c++filt is missing, which names kernels: sudo apt-get install binutils');
  return filter;
}

/**
 * @param {string} filter program that demangles
 * @param {readonly string[]} symbols of one file
 * @returns {Map<string, string>} the names of kernels; those that share one keep their parameters
 */
export function kernelNames(filter, symbols) {
  const {stdout} = spawnSync(filter, [], {
    encoding: 'utf8',
    input: symbols.map((each) => `${each}\n`).join(''),
  });
  const lines = stdout.split('\n');
  const short = lines.map(kernelName);
  return new Map(
    symbols.map((symbol, index) => {
      const name = short[index] ?? symbol;
      const isShared = short.filter((each) => each === name).length > 1;
      return [symbol, isShared ? (lines[index] ?? symbol) : name];
    }),
  );
}

/**
 * A kernel's name as a reader knows it: `scaleKernel<float, 4>`. Kernels stand in an unnamed namespace, whose
 * name changes from build to build.
 *
 * @param {string} demangled as c++filt prints it
 */
export function kernelName(demangled) {
  const signature = demangled
    .replaceAll('(anonymous namespace)::', '')
    .replace(/^void (?=\S)/, '')
    .replaceAll('crossmap::cuda::', '')
    .replaceAll('crossmap::', '');
  return signature.slice(0, startOfParameters(signature)).trim();
}

/** @param {string} signature */
function startOfParameters(signature) {
  let depth = 0;
  for (let index = 0; index < signature.length; index++) {
    const character = signature[index];
    if (character === '<') depth++;
    if (character === '>') depth--;
    if (character === '(' && depth === 0) return index;
  }
  return signature.length;
}
