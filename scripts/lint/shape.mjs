// Sizes, names, and files that belong together.
import {finding, lineAt} from './project.mjs';

const longest = {kernel: 600, other: 400};

// Names that CMake and the CUDA toolkit give.
const namesOfOthers = ['CMakeLists.txt', 'cuda_runtime.h'];

/** @type {import('./project.mjs').Check} */
export function checkSizes(project) {
  return [...project].flatMap(([file, text]) => {
    if (!/\.(ts|mjs|cc|h|cu|cuh)$/.test(file)) return [];
    const lines = text.split('\n').length - 1;
    const limit = /\.cuh?$/.test(file) ? longest.kernel : longest.other;
    if (lines <= limit) return [];
    const message = `${lines} lines, over ${limit}: is there a second idea inside?`;
    return [{...finding('file-size', file, limit, message), level: /** @type {const} */ ('warning')}];
  });
}

/** @type {import('./project.mjs').Check} */
export function checkNames(project) {
  return [...project.keys()].flatMap((file) => {
    if (!/^(lib|native|bench|test|examples|scripts)\//.test(file)) return [];
    const odd = file
      .split('/')
      .find((part) => !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(part) && !namesOfOthers.includes(part));
    return odd === undefined ? [] : [finding('kebab-case', file, 1, `${odd} is not kebab-case`)];
  });
}

/**
 * Every native source is in native/sources.json exactly once, and what that lists exists. Kernels of CUDA are all in
 * its list "cuda". Each list is sorted, so that two branches which add a file meet no conflict.
 *
 * @type {import('./project.mjs').Check}
 */
export function checkSources(project) {
  const file = 'native/sources.json';
  const text = project.get(file);
  if (text === undefined) return [];
  /** @type {Record<string, readonly string[]>} */
  const lists = JSON.parse(text);
  const whole = (/** @type {string} */ source) =>
    source.startsWith('native/') ? source : `native/${source}`;
  const listed = Object.values(lists).flat().map(whole);
  const kernels = (lists['cuda'] ?? []).map(whole);
  const there = [...project.keys()].filter(
    (name) => /^native\/.*\.(cc|cu)$/.test(name) && !name.includes('/simt/'),
  );
  const line = (/** @type {string} */ source) => lineAt(text, text.indexOf(source.replace('native/', '')));
  return [
    ...listed
      .filter((name) => !project.has(name))
      .map((name) => finding('sources', file, line(name), `${name} does not exist`)),
    ...listed
      .filter((name, index) => listed.indexOf(name) !== index)
      .map((name) => finding('sources', file, line(name), `${name} is listed twice`)),
    ...Object.entries(lists).flatMap(([list, sources]) => {
      const early = sources.find((source, index) => index > 0 && source < (sources[index - 1] ?? ''));
      return early === undefined
        ? []
        : [finding('sources', file, line(early), `${early} stands out of order in the list ${list}`)];
    }),
    ...listed
      .filter((name) => !name.includes('/simt/') && name.endsWith('.cu') !== kernels.includes(name))
      .map((name) =>
        finding('sources', file, line(name), `${name}: files .cu are the list cuda, and no others`),
      ),
    ...there
      .filter((name) => !listed.includes(name))
      .map((name) => finding('sources', name, 1, `not in ${file}`)),
  ];
}

/**
 * An op's whole life: native/ops, lib/ops, test/ops and bench/ops carry the same names.
 *
 * @type {import('./project.mjs').Check}
 */
export function checkOps(project) {
  const folders = [...project.keys()].flatMap(
    (file) => /^native\/ops\/([^/]+)\/\1\.h$/.exec(file)?.[1] ?? [],
  );
  return folders.flatMap((op) =>
    [`lib/ops/${op}.ts`, `test/ops/${op}.test.ts`, `bench/ops/${op}.ts`]
      .filter((file) => !project.has(file))
      .map((file) => finding('op-files', `native/ops/${op}/${op}.h`, 1, `the op has no ${file}`)),
  );
}
