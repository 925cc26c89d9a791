/** What `npm run gpu-check -- --pack` takes along. */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {loadScript, root} from './support.js';

const {packageClosure} = await loadScript<{packageClosure: (names: readonly string[]) => string[]}>(
  'scripts/gpu-check/pack.mjs',
);

test('packages come with all that they need, each from where Node finds it', (t) => {
  const folders = packageClosure(['ava']);
  t.true(folders.includes('node_modules/ava'));
  for (const folder of folders) {
    const text = fs.readFileSync(path.join(root, folder, 'package.json'), 'utf8');
    const {dependencies = {}} = JSON.parse(text) as {dependencies?: Record<string, string>};
    for (const name of Object.keys(dependencies)) {
      // From the innermost node_modules outwards.
      const parts = folder.split('/node_modules/');
      const places = parts.map((_, depth) =>
        [...parts.slice(0, parts.length - depth), name].join('/node_modules/'),
      );
      const found = [...places, `node_modules/${name}`].find((place) =>
        fs.existsSync(path.join(root, place)),
      );
      t.true(found !== undefined && folders.includes(found), `${folder} needs ${name}`);
    }
  }
});

test('a package that is not installed is left out', (t) => {
  t.deepEqual(packageClosure(['no-such-package']), []);
});
