// npm run docs: writes the pages that are made from the code.
import fs from 'node:fs';
import {pathToFileURL} from 'node:url';
import {inRoot} from '../setup/places.mjs';
import {say} from '../setup/say.mjs';
import {errorsPage} from './errors-page.mjs';

export async function makeDocs() {
  const {errorCodes} = await import(pathToFileURL(inRoot('dist/lib/errors.js')).href);
  fs.mkdirSync(inRoot('docs'), {recursive: true});
  fs.writeFileSync(inRoot('docs/errors.md'), errorsPage(errorCodes));
  say('docs/errors.md is current');
}
