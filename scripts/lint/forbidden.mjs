// What must not stand in a file, as a table: where, what, why.
import {finding, lineAt} from './project.mjs';
import {stripCpp} from './strip.mjs';

/**
 * @typedef {object} Ban
 * @property {string} rule
 * @property {RegExp} files
 * @property {RegExp} [except] files in which it may stand
 * @property {RegExp} pattern global
 * @property {string} why also says what to do instead
 */

const cpp = /^native\/.*\.(cc|h|cu|cuh)$/;
const host = /^native\/.*\.(cc|h)$/;
/** Literals are blanked in what `cpp` and `host` search, so rules about includes look at the text as it is. */
const cppWithLiterals = /^native\/.*\.(?:cc|h|cu|cuh)$/;
/** What a build without CUDA compiles: the host files of ops, and the declarations that they include. */
const hostOps = /^native\/ops\/.*(\.cc|-cuda\.h)$/;
const languages = /^native\/runtime\/(cuda|simt)\//;
const typescript = /^(lib|test|bench|examples)\/.*\.ts$/;
const lintItself = /^(scripts\/lint|test\/repository)\//;

// Written apart, so that this file does not contain what it looks for.
const registry = ['registry', 'npmjs', 'org'].join('\\.');

/** @type {readonly Ban[]} */
const bans = [
  {
    rule: 'machine-path',
    files: /./,
    pattern: /(?<![\w.*:/-])\/(?:root|work|farm|home\/\w+|Users\/\w+|usr\/local\/cuda-\d)(?:\/|\b)/g,
    why: 'a path of one machine; make it relative or find it',
  },
  {
    rule: 'registry-host',
    files: /./,
    pattern: new RegExp(`${registry}|"resolved":\\s*"https?:`, 'g'),
    why: 'a package registry is named; the lock file keeps integrity hashes only',
  },
  {
    rule: 'todo',
    files: /\.(ts|mjs|cc|h|cu|cuh|txt|gyp|sh)$/,
    except: lintItself,
    pattern: /\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\)|.*#\d+)/g,
    why: 'without an issue number; do it, or write TODO(#n)',
  },
  {
    rule: 'default-export',
    files: /^(lib|bench|examples|scripts)\//,
    pattern: /^export default\b/gm,
    why: 'exports have names',
  },
  {
    rule: 'ts-comment',
    files: typescript,
    except: lintItself,
    pattern: /@ts-(?:ignore|nocheck)\b/g,
    why: 'types are mended, not silenced',
  },
  {
    rule: 'lint-comment',
    files: /\.(ts|mjs)$/,
    except: lintItself,
    pattern: /(?:oxlint|eslint)-disable(?!.* -- \S)/g,
    why: 'a silenced rule says why: `oxlint-disable-next-line rule -- reason`',
  },
  {
    rule: 'inheritance',
    files: /^lib\/.*\.ts$/,
    pattern:
      /^(?:export )?(?:abstract )?class \w+(?:<[^{]*>)? extends (?!Error\b|Transform\b|Readable\b)\w+/gm,
    why: 'our classes do not inherit from each other; compose',
  },
  {
    rule: 'process',
    files: /^lib\/.*\.ts$/,
    except: /^lib\/cli\//,
    pattern: /\bprocess\.exit\(|\bconsole\.\w+\(/g,
    why: 'only lib/cli prints or ends the process; return, throw or yield an event',
  },
  {
    rule: 'addon',
    files: /^lib\/.*\.ts$/,
    except: /^lib\/(?:native\.ts$|addon\/)/,
    pattern: /\bprocess\.dlopen\b|\.node'|\bcreateRequire\b/g,
    why: 'lib/native.ts and lib/addon alone know the addon',
  },
  {rule: 'launch', files: cpp, pattern: /<<</g, why: 'launch() instead of <<<>>>'},
  {
    rule: 'shared-memory',
    files: cpp,
    except: /^native\/runtime\/(cuda\/device\/shared\.cuh$|simt\/)/,
    pattern: /(?:\bextern\s+)?\b__shared__\b/g,
    why: 'sharedMemory<T>() instead: all shared memory is dynamic, and the emulator knows no other',
  },
  {
    rule: 'compiler-macro',
    files: cpp,
    except: languages,
    pattern: /\b(?:__CUDACC__|__CUDA_ARCH__|__NVCC__|__CUDA_ARCH_LIST__)\b/g,
    why: 'a kernel is one text for nvcc and the emulator; what differs stands in native/runtime/cuda',
  },
  {
    rule: 'compiler-macro',
    files: /^native\/ops\//,
    pattern: /\bCROSSMAP_(?:SIMT|CUDA)\b/g,
    why: 'an op is one text for all builds; what differs stands in native/runtime',
  },
  {
    rule: 'cuda-header',
    files: cppWithLiterals,
    except: languages,
    pattern:
      /^[ \t]*#[ \t]*include[ \t]*[<"](?:cuda|cu[bB]|cublas|cooperative_groups|mma\.h|device_|sm_|vector_types|driver_types)[^>"\n]*[>"]/gm,
    why: '"runtime/cuda/language.h" brings the language, which is nvcc\'s or the emulator\'s',
  },
  {
    rule: 'cuda-in-host',
    files: hostOps,
    pattern: /^[ \t]*#[ \t]*include[ \t]*"runtime\/(?:cuda|simt)\/[^"\n]*"/gm,
    why: 'this is compiled without CUDA too: declare `class Stream;` in namespace crossmap::cuda',
  },
  {
    rule: 'inline-asm',
    files: cpp,
    except: /^native\/runtime\/(cuda\/device\/|simt\/fiber)/,
    pattern: /\b(?:asm|__asm__|__asm)\b\s*(?:volatile|goto|\()/g,
    why: 'inline assembly stands in native/runtime/cuda/device and the fiber switch of simt only',
  },
  {
    rule: 'new-delete',
    files: host,
    pattern: /(?<!operator\s)\bnew\b\s*[\w(:]|(?<!=\s*)(?<!operator\s)\bdelete\b\s*[\w([*]/g,
    why: 'values and RAII: std::make_unique, std::vector, std::shared_ptr',
  },
  {
    rule: 'mutable-static',
    files: host,
    // The emulated GPU is one machine for the whole process, as a real one is.
    except: /^native\/runtime\/simt\//,
    pattern:
      /^[ \t]*(?:inline\s+)?(?:static|thread_local)(?!_)\b(?:\s+(?:static|inline|thread_local))*(?!\s+(?:const|constexpr|constinit const)\b)[^();{}=]*[;={]/gm,
    why: 'state belongs to an environment of Node or to a device',
  },
  {
    rule: 'pragma-once',
    files: /^native\/.*\.(h|cuh)$/,
    pattern: /^(?![^]*#pragma once)/g,
    why: 'a header starts with #pragma once',
  },
];

/** @type {import('./project.mjs').Check} */
export function checkForbidden(project) {
  return [...project].flatMap(([file, text]) => {
    const active = bans.filter(({files, except}) => files.test(file) && !except?.test(file));
    const stripped = cpp.test(file) ? stripCpp(text) : text;
    return active.flatMap(({rule, pattern, why, files}) => {
      const searched = files === cpp || files === host ? stripped : text;
      return [...searched.matchAll(pattern)].map((match) => {
        const what = match[0].trim().split('\n')[0] ?? '';
        return finding(
          rule,
          file,
          lineAt(text, match.index + leadingSpace(match[0])),
          `${what ? `${what}: ` : ''}${why}`,
        );
      });
    });
  });
}

/** @param {string} match a line may be found from the end of the one before */
function leadingSpace(match) {
  return match.length - match.trimStart().length;
}
