// The addon with CUDA: needs nvcc, which no other build does.
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import {buildAddon, flavours} from './addon.mjs';
import {isOnPath} from './commands.mjs';
import {readJson} from './files.mjs';
import {inRoot} from './places.mjs';
import {SetUpError, say} from './say.mjs';

const oldestMajor = 13;

/** Builds it and says which file took longest: the build is to stay under ten minutes on two cores. */
export async function buildCuda() {
  const nvcc = findNvcc();
  if (nvcc === undefined) {
    throw new SetUpError(
      'the addon with CUDA is not built: nvcc is not on the PATH, not in CUDACXX, not under CUDA_HOME and not in ' +
        `/usr/local/cuda/bin. Install the CUDA toolkit ${oldestMajor}.0 or newer, or use the addon that npm run build ` +
        'makes: it computes on the CPU',
    );
  }
  const version = nvccVersion(nvcc);
  if (Number.parseInt(version, 10) < oldestMajor)
    throw new SetUpError(
      `the addon with CUDA is not built: ${nvcc} is of CUDA ${version}, and ${oldestMajor} or newer is needed`,
    );
  process.env['CUDACXX'] = nvcc;
  await buildAddon(flavours.cuda);
  const {file, seconds} = slowestFile();
  say(`the slowest of all files with kernels is ${file}: ${seconds.toFixed(1)} s when it was compiled`);
}

/** nvcc, wherever it usually is, or nothing. */
export function findNvcc() {
  const home = process.env['CUDA_HOME'] ?? process.env['CUDA_PATH'];
  const places = [
    process.env['CUDACXX'],
    'nvcc',
    home && path.join(home, 'bin', 'nvcc'),
    '/usr/local/cuda/bin/nvcc',
  ];
  return places.find((place) => place && isOnPath(place));
}

/**
 * The compiler's release, `13.0.88`.
 *
 * @param {string} nvcc
 */
export function nvccVersion(nvcc) {
  const {stdout} = spawnSync(nvcc, ['--version'], {encoding: 'utf8'});
  return /\bV(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1] ?? 'unknown';
}

/**
 * Where CMake puts what it makes of a file with kernels; what nvcc told of it stands beside, with `.json` behind.
 *
 * @param {string} file of native/sources.json
 */
export function kernelObject(file) {
  return inRoot(flavours.cuda.out, 'CMakeFiles', 'cuda-kernels.dir', `${file}.o`);
}

/** Of those with kernels, as they were last compiled. */
function slowestFile() {
  /** @type {readonly string[]} */
  const files = readJson(inRoot('native', 'sources.json')).cuda;
  const took = files.map((file) => ({
    file,
    seconds: Number(readJson(`${kernelObject(file)}.json`)?.seconds ?? 0),
  }));
  return took.reduce((a, b) => (b.seconds > a.seconds ? b : a));
}
