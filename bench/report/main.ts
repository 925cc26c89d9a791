/** Writes index.md and index.html beside the results of a folder: `--out FOLDER`. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {readResults} from '../support/results.js';
import {markdownOf} from './markdown.js';
import {pageOf} from './page.js';

const {out} = parseArgs({options: {out: {type: 'string'}}}).values;
if (out === undefined) throw new Error('--out FOLDER is missing');
const results = readResults(out);
writeFileSync(join(out, 'index.md'), markdownOf(results));
writeFileSync(join(out, 'index.html'), pageOf(results, new Date()));
console.log(`${results.length} benches: ${join(out, 'index.html')}, ${join(out, 'index.md')}`);
