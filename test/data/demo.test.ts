/** The text that the package brings along. */
import {readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {configLanguages, loadConfig} from '../../lib/config/index.js';
import {prepareData} from '../../lib/data/index.js';
import {temporaryFolder} from '../formats/folder.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'data');

test('the bundled text takes less than 2 MB', async (t) => {
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
  );
  t.true(sizes.reduce((a, b) => a + b, 0) < 2_000_000);
});

test('every bundled text is named in the NOTICE, with its licence', async (t) => {
  const notice = await readFile(join(root, 'NOTICE'), 'utf8');
  for (const name of await readdir(folder)) if (name.endsWith('.gz')) t.true(notice.includes(name), name);
  t.regex(notice, /Mozilla Public License, v\. 2\.0/);
  t.regex(notice, /creativecommons\.org\/licenses\/by-sa\/3\.0/);
});

test('the demonstration has Czech, Ukrainian and Chinese among six scripts, each with text and pairs', async (t) => {
  const output = await temporaryFolder(t);
  const config = await loadConfig(join(folder, 'demo.yaml'), {set: [`output=${output}`]});
  t.deepEqual(configLanguages(config), ['ar', 'cs', 'en', 'hi', 'ta', 'uk', 'zh']);
  const {report, heldOut, shards, tokenizer} = await prepareData(config);
  t.deepEqual(report.warnings, []);
  for (const {language, training, heldOut: out} of report.languages) {
    t.true(training.bytes > 100_000, language);
    t.true(out.documents >= 5, language);
  }
  for (const {target, training, heldOut: out, dropped} of report.pairs) {
    t.true(training.segments >= 600, target);
    t.is(out, 64, target);
    // Nothing in it is for the filters to find; a few pairs are longer than the small context.
    t.is(dropped.empty + dropped.identical + dropped.ratio + dropped.duplicate, 0, target);
    t.true(dropped.tooLong < 0.05 * training.segments, target);
  }
  const scripts = {ar: 'Arab', cs: 'Latn', en: 'Latn', hi: 'Deva', ta: 'Taml', uk: 'Cyrl', zh: 'Hani'};
  for (const {language, shard} of shards.texts) {
    const script = new RegExp(`\\p{Script=${scripts[language as keyof typeof scripts]}}`, 'u');
    t.regex(await tokenizer.decode(shard.text(0)), script);
  }
  t.deepEqual(heldOut.languages, configLanguages(config));
});
