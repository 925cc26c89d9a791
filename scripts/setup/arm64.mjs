// npm run check:arm64: compiles runtime and ops for arm64 with a cross compiler and throws the result away.
import fs from 'node:fs';
import {capture, isOnPath} from './commands.mjs';
import {parallelJobs} from './addon.mjs';
import {inRoot} from './places.mjs';
import {SetUpError, say, since} from './say.mjs';

const compiler = 'aarch64-linux-gnu-g++';

/** The addon's own folder is left out: it needs Node's headers, and nothing in it depends on the processor. */
export async function checkArm64() {
  if (!isOnPath(compiler)) {
    throw new SetUpError(`${compiler} is missing: sudo apt-get install g++-aarch64-linux-gnu`);
  }
  const start = performance.now();
  const {host, kernels} = JSON.parse(fs.readFileSync(inRoot('native/sources.json'), 'utf8'));
  const files = [
    ...host.filter((/** @type {string} */ file) => !file.startsWith('native/addon/')),
    ...kernels,
  ];
  say(`compiling ${files.length} files for arm64`);
  const queue = [...files];
  const isKernel = new Set(kernels);
  const failures = await Promise.all(Array.from({length: parallelJobs()}, () => compileAll(queue, isKernel)));
  const all = failures.flat();
  for (const output of all) process.stdout.write(`${output.trimEnd()}\n`);
  if (all.length) throw new SetUpError(`${all.length} files do not compile for arm64`);
  say(`compiled for arm64 in ${since(start)}`);
}

/**
 * @param {string[]} queue shared by all who compile
 * @param {ReadonlySet<string>} kernels
 */
async function compileAll(queue, kernels) {
  const flags = ['-std=c++20', '-O1', '-Wall', '-Wextra', '-Werror', '-Wno-psabi', '-Inative'];
  /** @type {string[]} */
  const failures = [];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const isa = kernels.has(file) ? ['-DCROSSMAP_ISA=baseline'] : [];
    const {status, output} = await capture([compiler, ...flags, ...isa, '-c', '-o', '/dev/null', file]);
    if (status !== 0) failures.push(output);
  }
  return failures;
}
