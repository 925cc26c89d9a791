// The addon with CUDA: needs nvcc, which no other build does.
import fs from 'node:fs';
import path from 'node:path';
import {buildAddon, flavours} from './addon.mjs';
import {firstLine, isOnPath} from './commands.mjs';
import {inRoot} from './places.mjs';
import {SetUpError, say} from './say.mjs';

const oldestMajor = 13;

/** Builds it and says which file took longest: the build is to stay under ten minutes on two cores. */
export async function buildCuda() {
  const nvcc = findNvcc();
  if (nvcc === undefined) {
    throw new SetUpError(
      'the addon with CUDA is not built: nvcc is not on the PATH, not in CUDACXX and not in /usr/local/cuda/bin. ' +
        `Install the CUDA toolkit ${oldestMajor}.0 or newer, or use the addon that npm run build makes: it computes on the CPU`,
    );
  }
  const [, major = '0'] = /release (\d+)/.exec(versionOf(nvcc)) ?? [];
  if (Number(major) < oldestMajor)
    throw new SetUpError(
      `the addon with CUDA is not built: ${nvcc} is of CUDA ${major}, and ${oldestMajor} or newer is needed`,
    );
  const start = Date.now();
  process.env['CUDACXX'] = nvcc;
  await buildAddon(flavours.cuda);
  const slowest = slowestFile(start);
  if (slowest) say(`the slowest file was ${slowest.file}: ${slowest.seconds.toFixed(1)} s`);
}

function findNvcc() {
  const places = [process.env['CUDACXX'] ?? '', 'nvcc', '/usr/local/cuda/bin/nvcc'];
  return places.find((place) => place !== '' && isOnPath(place));
}

/** @param {string} nvcc */
function versionOf(nvcc) {
  return firstLine(['sh', '-c', `"${nvcc}" --version | grep release`]) ?? '';
}

/**
 * Of the files that were compiled since `start`; nothing where Ninja, which notes this, is not used.
 *
 * @param {number} start milliseconds, from `Date.now()`
 */
function slowestFile(start) {
  const log = inRoot(flavours.cuda.out, '.ninja_log');
  if (!fs.existsSync(log) || fs.statSync(log).mtimeMs < start) return undefined;
  const took = new Map(
    fs
      .readFileSync(log, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'))
      .filter(([, , , output = '']) => output.includes('cuda-kernels'))
      .map(([begin, end, , output = '']) => [
        path.basename(output, '.o'),
        (Number(end) - Number(begin)) / 1000,
      ]),
  );
  const [file, seconds] = [...took].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0]);
  return file === '' ? undefined : {file, seconds};
}
