// Runs nvcc and keeps what it tells of the kernels beside the object: CMake calls this in place of the compiler.
//
//   node nvcc.mjs NVCC ARGUMENTS... -c FILE -o OBJECT     writes OBJECT and OBJECT.json
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parsePtx} from './ptxas.mjs';

/**
 * What OBJECT.json holds.
 *
 * @typedef {object} Told
 * @property {number} seconds of the compilation
 * @property {string} output of nvcc, the figures of ptxas among it
 * @property {readonly import('./ptxas.mjs').Entry[]} entries kernels of the file; bounds and instructions are the same in all PTX
 */

const [, , nvcc = '', ...args] = process.argv;
const object = args[args.indexOf('-o') + 1] ?? '';
fs.rmSync(`${object}.json`, {force: true});
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crossmap-nvcc-'));
try {
  const start = performance.now();
  const {status, error, stdout, stderr} = spawnSync(
    nvcc,
    [...args, '-Xptxas', '-v', '--keep', '--keep-dir', folder],
    {encoding: 'utf8', maxBuffer: 2 ** 30},
  );
  const output = `${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}`;
  process.exitCode = status ?? 1;
  if (status === 0) keep((performance.now() - start) / 1000, output);
  else process.stderr.write(output);
} finally {
  fs.rmSync(folder, {recursive: true, force: true});
}

/**
 * @param {number} seconds
 * @param {string} output
 */
function keep(seconds, output) {
  const ptx = fs.readdirSync(folder).find((name) => name.endsWith('.ptx'));
  /** @type {Told} */
  const told = {
    seconds,
    output,
    entries: ptx === undefined ? [] : parsePtx(fs.readFileSync(path.join(folder, ptx), 'utf8')),
  };
  fs.writeFileSync(`${object}.json`, JSON.stringify(told));
}
