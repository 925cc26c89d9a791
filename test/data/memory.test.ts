/** Data is prepared in little memory, however much there is of it. */
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {temporaryFolder} from '../formats/folder.js';
import {configIn, sentence} from './corpora.js';
import type {Measured} from './prepare-and-measure.js';

const megabyte = 1 << 20;

/** All that JavaScript has for its objects, less than half of the larger input. With 40 a build ends too, but mostly collects garbage. */
const heapMegabytes = 64;

/** Of each file. One part of 12 is new and all else repeats, for encoding takes far longer than the reading that is tested. */
const partMegabytes = 1;
const repeats = 12;

/** As docs/data.md has them: what grows with the number of texts, whatever their length. */
const bytesOf = {documents: 60, sentences: 25, pairs: 150} as const;

/** When garbage is collected is chance, which can only add to a peak: of so many builds of one input the lowest peak counts. */
const builds = 3;

/** What the lowest peaks of builds of one input differ by. */
const chanceMegabytes = 32;

const yaml = `
data:
  monolingual:
    - {language: en, files: en.txt}
    - {language: cs, files: cs.jsonl}
  parallel:
    - {source: en, target: cs, file: en-cs.tmx.gz, format: tmx}
  filters: {nearDuplicates: off} # the sentences are made of eight words
  heldOut: {documentShare: 0.001, pairs: 20}
tokenizer: {vocabSize: 400}
model: {layers: 1, features: 32, heads: 2, context: 256}
training: {steps: 40, tokensPerBatch: 512, warmupSteps: 2}
threads: 2
`;

/** Text `n` in a language: four sentences of 15 words, different for every n below 8^9. */
function text(language: 'en' | 'cs', n: number): string[] {
  const [low, high] = [n % 8 ** 4, Math.floor(n / 8 ** 4)];
  return [0, 1, 2, 3].map((i) =>
    [8 * low + i, high, 5 * i].map((each) => sentence(language, each)).join(' '),
  );
}

const documentOf = {
  'en.txt': (n: number) => `${text('en', n).join('\n')}\n\n`,
  // The letters of English alone, which are cleaned faster.
  'cs.jsonl': (n: number) => `${JSON.stringify({text: text('en', n).join('\n')})}\n`,
  'en-cs.tmx.gz': (n: number) => {
    const side = (language: 'en' | 'cs'): string =>
      `<tuv xml:lang="${language}"><seg>${text(language, n).join(' ')}</seg></tuv>`;
    return `<tu>${side('en')}${side('cs')}</tu>\n`;
  },
};

/** A file of so many parts, each `repeats` times. */
async function writeCorpus(path: string, name: keyof typeof documentOf, parts: number): Promise<void> {
  const file = createWriteStream(path);
  const write = async (content: string): Promise<void> => {
    const bytes = name.endsWith('.gz') ? gzipSync(content, {level: 1}) : content;
    if (!file.write(bytes)) await once(file, 'drain');
  };
  const isXml = name.includes('.tmx');
  if (isXml) await write('<tmx version="1.4"><header/><body>');
  let n = 0;
  for (let part = 0; part < parts; part++) {
    let content = '';
    while (content.length < partMegabytes * megabyte) content += documentOf[name](n++);
    for (let i = 0; i < repeats; i++) await write(content);
  }
  if (isXml) await write('</body></tmx>');
  file.end();
  await once(file, 'close');
}

/** Prepares corpora of so many parts in a child with a small heap. */
async function prepared(folder: string, parts: number): Promise<Measured> {
  for (const name of ['en.txt', 'cs.jsonl', 'en-cs.tmx.gz'] as const)
    await writeCorpus(join(folder, name), name, parts);
  const script = fileURLToPath(new URL('./prepare-and-measure.js', import.meta.url));
  const {stdout} = await promisify(execFile)(process.execPath, [
    `--max-old-space-size=${heapMegabytes}`,
    script,
    JSON.stringify(configIn(folder, yaml)),
  ]);
  return JSON.parse(stdout) as Measured;
}

test('four times as much text takes no more memory, but for the bytes of each text that docs/data.md tells', async (t) => {
  t.timeout(1_200_000); // eight minutes on two cores that have ten other things to do
  const few = await prepared(await temporaryFolder(t), 1);
  let grown = Infinity;
  let allowed = 0;
  for (let build = 0; build < builds && grown >= allowed; build++) {
    const many = await prepared(await temporaryFolder(t), 4);
    const told = (['documents', 'sentences', 'pairs'] as const).reduce(
      (sum, name) => sum + bytesOf[name] * (many[name] - few[name]),
      0,
    );
    allowed = told + chanceMegabytes * megabyte;
    grown = Math.min(grown, many.peakBytes - few.peakBytes);
    t.log(JSON.stringify({few, many, told}));
    t.true(many.segments > 3 * few.segments);
  }
  t.true(grown < allowed, `grown by ${grown} bytes, where ${allowed} are allowed`);
});
