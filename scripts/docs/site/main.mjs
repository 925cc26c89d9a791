// npm run docs:site: static pages of README, docs and the API, made by typedoc and then checked link by link.
import fs from 'node:fs';
import path from 'node:path';
import {runLogged} from '../../setup/commands.mjs';
import {listFiles, writeJson} from '../../setup/files.mjs';
import {installSiteTools} from '../../setup/packages.mjs';
import {inRoot, stateFolder} from '../../setup/places.mjs';
import {SetUpError, say, since} from '../../setup/say.mjs';
import {findBrokenLinks} from './links.mjs';
import {siteOptions} from './options.mjs';

const folder = inRoot('site');

export async function makeSite() {
  await installSiteTools();
  const start = performance.now();
  const options = path.join(stateFolder, 'typedoc.json');
  writeJson(options, siteOptions(folder));
  const typedoc = inRoot('scripts/docs/site/node_modules/typedoc/bin/typedoc');
  await runLogged('docs-site', [process.execPath, typedoc, '--options', options]);
  const pages = readPages();
  const broken = findBrokenLinks(pages, (file) => fs.existsSync(path.join(folder, file)));
  if (broken.length > 0) throw new SetUpError(`docs:site: links that lead nowhere:\n${broken.join('\n')}`);
  say(`site/index.html and ${pages.size - 1} more pages are made, in ${since(start)}`);
}

/** What typedoc rendered: pages that it only copied, such as reports, stand by themselves. */
function readPages() {
  const files = listFiles(['.'], (file) => file.endsWith('.html') && !file.startsWith('media/'), folder);
  return new Map(files.map((file) => [file, fs.readFileSync(path.join(folder, file), 'utf8')]));
}
