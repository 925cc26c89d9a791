/** The examples of README and docs run as they stand, as modules of a project that has installed the package. */
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {root} from './support.js';

const run = promisify(execFile);

for (const page of ['README.md', ...fs.readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`)]) {
  const text = fs.readFileSync(path.join(root, page), 'utf8');
  const examples = [...text.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => code!);
  for (const [index, code] of examples.entries())
    test(`${page} example ${index + 1} runs and prints`, async (t) => {
      const {stdout} = await run(process.execPath, ['--input-type=module', '-e', code], {cwd: root});
      t.not(stdout.trim(), '');
    });
}
