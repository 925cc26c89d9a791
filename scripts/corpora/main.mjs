// npm run corpora -- --output FOLDER [--from FOLDER | --packages] [--only NAMES] [--cache FOLDER]: natural text and sentence pairs for experiments.
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {CrossmapError} from '../../dist/lib/errors.js';
import {inRoot, stateFolder} from '../setup/places.mjs';
import {SetUpError, runScript, say, since} from '../setup/say.mjs';
import {buildCorpora} from './build.mjs';
import {readPrepared} from './prepared.mjs';
import {sources} from './sources.mjs';
import {checkOutput, countTable, writeCorpora} from './write.mjs';

/** Corpora that were prepared before may lie beside the checkout. */
const besideCheckout = inRoot('../shared/data');

const corpusNames = sources.map(({name}) => name);

await runScript(async () => {
  try {
    await makeCorpora(readFlags());
  } catch (error) {
    throw asSetUpError(error);
  }
});

/** @param {ReturnType<typeof readFlags>} flags */
async function makeCorpora({output, from, cache, packages, names}) {
  checkOutput(output);
  const start = performance.now();
  if (from !== undefined && !fs.existsSync(from))
    throw new SetUpError(`corpora: --from ${from} does not exist`);
  const usual = !packages && fs.existsSync(besideCheckout) ? besideCheckout : undefined;
  const prepared = from ?? usual;
  const corpora =
    prepared === undefined
      ? await buildCorpora(path.resolve(cache), names)
      : await readPrepared(prepared, names);
  const way = prepared === undefined ? 'from Debian packages' : 'from corpora that were prepared before';
  const files = await writeCorpora(output, corpora, way);
  say(`${path.relative(process.cwd(), output) || '.'} in ${since(start)}, ${way}`);
  process.stdout.write(`pairs with English\n${countTable(corpora, files, 'pairs')}\n\n`);
  process.stdout.write(`sentences\n${countTable(corpora, files, 'sentences')}\n`);
}

/**
 * What the system refuses (a full disk, a folder of somebody else) and what is wrong with a prepared file, as a message without a stack.
 *
 * @param {unknown} error
 */
function asSetUpError(error) {
  if (error instanceof CrossmapError) return new SetUpError(`corpora: ${error.code}: ${error.message}`);
  if (error instanceof Error && 'syscall' in error) return new SetUpError(`corpora: ${error.message}`);
  return error;
}

/** `--packages` makes them from packages although prepared ones are there; `--only wesnoth,gnome-help` makes some. */
function readFlags() {
  const {output, only, ...rest} = parseFlags();
  if (output === undefined) throw new SetUpError('corpora: --output FOLDER is missing');
  if (rest.packages && rest.from !== undefined)
    throw new SetUpError('corpora: --from and --packages are two ways; give one');
  const names = only.split(',');
  const unknown = names.find((name) => !corpusNames.includes(name));
  if (unknown !== undefined)
    throw new SetUpError(`corpora: --only ${unknown} is not a corpus; there are ${corpusNames.join(', ')}`);
  return {...rest, output, names};
}

function parseFlags() {
  try {
    return parseArgs({
      options: {
        output: {type: 'string'},
        from: {type: 'string'},
        packages: {type: 'boolean', default: false},
        only: {type: 'string', default: corpusNames.join(',')},
        cache: {type: 'string', default: path.join(stateFolder, 'corpora')},
      },
    }).values;
  } catch (error) {
    throw new SetUpError(`corpora: ${error instanceof Error ? error.message : error}`);
  }
}
