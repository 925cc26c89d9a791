// Finds the BLAS that the addon links: BLIS as a static, single-threaded archive, for crossmap has its own
// thread pool. Run by binding.gyp (`node native/find-cblas.mjs library`) and imported by the set-up.
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

/**
 * @typedef {object} Cblas
 * @property {string} library the static archive
 * @property {string} include the folder of cblas.h
 */

/**
 * The first place that has both files. CROSSMAP_CBLAS_ROOT, a prefix with lib and include, stands instead of
 * the system's places; set to nothing it means: none.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Cblas | undefined}
 */
export function findCblas(env = process.env) {
  const chosen = env['CROSSMAP_CBLAS_ROOT'];
  return places(chosen).find(
    ({library, include}) => fs.existsSync(library) && fs.existsSync(path.join(include, 'cblas.h')),
  );
}

/**
 * @param {string | undefined} chosen
 * @returns {Cblas[]}
 */
function places(chosen) {
  if (chosen === undefined) return systemPlaces();
  return chosen === '' ? [] : prefixPlaces(chosen);
}

/** @returns {Cblas[]} */
function systemPlaces() {
  /** @type {Record<string, string>} */
  const triplets = {x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu'};
  const triplet = triplets[process.arch];
  const debian = {
    library: `/usr/lib/${triplet}/blis-serial/libblis.a`,
    include: `/usr/include/${triplet}/blis-serial`,
  };
  return [debian, ...['/usr/local', '/opt/homebrew/opt/blis'].flatMap(prefixPlaces)];
}

/**
 * @param {string} prefix
 * @returns {Cblas[]}
 */
function prefixPlaces(prefix) {
  const library = path.join(prefix, 'lib', 'libblis.a');
  return ['include/blis', 'include'].map((folder) => ({library, include: path.join(prefix, folder)}));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const part = /** @type {keyof Cblas} */ (process.argv[2]);
  process.stdout.write(findCblas()?.[part] ?? '');
}
