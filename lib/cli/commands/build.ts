/** `crossmap build`: compiles the native addon where no package brings it. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import type {Command} from 'commander';
import {CrossmapError} from '../../errors.js';

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .addHelpText(
      'after',
      `
Needs a C++20 compiler (g++ 11, clang++ 14 or newer) and CMake 3.20 with Ninja or make; without CMake node-gyp
is tried, which needs make and Python. The packages cmake-js, node-gyp and node-addon-api are installed beside crossmap
where they are missing. It takes minutes, and the addon computes on the CPU: that with CUDA is built in a checkout of the
sources, by npm run build:cuda.

The addon lies in the folder of the package, so it goes when the package is installed anew. CROSSMAP_ADDON names one that
lies elsewhere.`,
    )
    .action(async () => {
      const script = fileURLToPath(new URL('../../../../scripts/build.mjs', import.meta.url)); // from dist/lib/cli/commands
      const child = spawn(process.execPath, [script, 'from-source'], {stdio: 'inherit'});
      const [status, signal]: unknown[] = await once(child, 'close');
      if (status === 0) return;
      throw new CrossmapError(
        'ERR_ADDON',
        `the addon is not built (${signal === null ? `status ${String(status)}` : String(signal)}): what failed stands above`,
      );
    });
}
