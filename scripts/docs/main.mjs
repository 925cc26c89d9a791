// npm run docs: writes the pages that are made from the code.
import fs from 'node:fs';
import {pathToFileURL} from 'node:url';
import {inRoot} from '../setup/places.mjs';
import {say} from '../setup/say.mjs';
import {configurationPage} from './configuration-page.mjs';
import {errorsPage} from './errors-page.mjs';

export async function makeDocs() {
  const {errorCodes} = await import(pathToFileURL(inRoot('dist/lib/errors.js')).href);
  const {describeOptions, suiteJsonSchema} = await import(
    pathToFileURL(inRoot('dist/lib/config/index.js')).href
  );
  const options = {config: describeOptions(), suite: describeOptions(suiteJsonSchema())};
  writePage('docs/errors.md', errorsPage(errorCodes));
  writePage('docs/configuration.md', configurationPage(options));
}

/**
 * @param {string} file relative to the root
 * @param {string} text Markdown
 */
function writePage(file, text) {
  fs.mkdirSync(inRoot('docs'), {recursive: true});
  fs.writeFileSync(inRoot(file), text);
  say(`${file} is current`);
}
