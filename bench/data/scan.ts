/** The first reading of corpora: cleaning, hashes, script and near-duplicate signatures, on one thread and on several. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseConfig} from '../../lib/config/index.js';
import {corporaOf} from '../../lib/data/corpus/corpora.js';
import {scanText} from '../../lib/data/corpus/scan.js';
import {createScanner, type Scanner} from '../../lib/data/corpus/scanner.js';
import {signaturesOf} from '../../lib/data/corpus/signature.js';
import {createBreather} from '../../lib/data/pace.js';
import {createRandom} from '../../lib/eval/random.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {sized} from '../support/quick.js';

const bytes = sized(8_000_000, 40_000);

/** Letters that the invented words of a language are made of. */
const alphabets = {
  en: 'etaoinshrdlucmfwypvbgkjqxz',
  uk: 'оаниіетвркслудмпязьбгйчхцжшюєїщфґ',
} as const;

const random = createRandom(5);

/** Documents of invented sentences, in which frequent words are more frequent. */
function inventedText(alphabet: string): string {
  const word = (): string =>
    Array.from(
      {length: 2 + random.below(9)},
      () => alphabet[Math.floor(random.uniform() ** 2 * alphabet.length)],
    ).join('');
  const vocabulary = Array.from({length: sized(20_000, 500)}, word);
  const next = (): string => vocabulary[Math.floor(random.uniform() ** 3 * vocabulary.length)] ?? '';
  const lines: string[] = [];
  for (let size = 0; size < bytes; size += Buffer.byteLength(lines.at(-1) ?? '') + 1)
    lines.push(
      lines.length % 9 === 8 ? '' : `${Array.from({length: 6 + random.below(20)}, next).join(' ')}.`,
    );
  return lines.join('\n');
}

const scanners: Scanner[] = [];
const folder = mkdtempSync(join(tmpdir(), 'crossmap-bench-'));
try {
  const cases: BenchCase[] = [];
  for (const [language, alphabet] of Object.entries(alphabets)) {
    const text = inventedText(alphabet);
    const file = join(folder, `${language}.txt`);
    writeFileSync(file, text);
    const size = Buffer.byteLength(text);
    const megabytes = `${(size / 1e6).toFixed(1)} MB of ${language}`;
    const documents = text.split('\n\n');
    cases.push({
      title: `signatures, ${megabytes}`,
      ours: () => void signaturesOf(documents),
      bytes: size,
    });
    const config = parseConfig(
      `data: {monolingual: [{language: ${language}, files: ${file}}]}\nobjectives: {recipe: mono}`,
    );
    const {filters} = config.data;
    const [corpus] = (await corporaOf(config)).texts;
    if (corpus === undefined) throw new Error('no corpus');
    for (const threads of [1, 2]) {
      const scanner = createScanner({filters, threads, threadsAfter: 0});
      scanners.push(scanner);
      cases.push({
        title: `scan on ${threads} thread${threads > 1 ? 's' : ''}, ${megabytes}`,
        ours: async () =>
          void (await scanText(corpus, {filters, scanner, breather: createBreather(undefined), reading: {}})),
        bytes: size,
      });
    }
  }
  await runBench({name: 'data/scan', cases});
} finally {
  for (const scanner of scanners) await scanner.close();
  rmSync(folder, {recursive: true, force: true});
}
