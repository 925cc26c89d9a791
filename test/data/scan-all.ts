/** All corpora of a configuration, scanned. */
import type {Corpora} from '../../lib/data/corpus/corpora.js';
import {scanPairs, scanText, type Scan} from '../../lib/data/corpus/scan.js';
import {createScanner, type ScannerOptions} from '../../lib/data/corpus/scanner.js';
import {createBreather} from '../../lib/data/pace.js';

/** @param options default one thread */
export async function scanAll(
  {texts, pairs}: Corpora,
  {filters, threads = 1, threadsAfter = 0}: Pick<ScannerOptions, 'filters'> & Partial<ScannerOptions>,
): Promise<Scan> {
  const scanner = createScanner({filters, threads, threadsAfter});
  const options = {filters, scanner, breather: createBreather(undefined), reading: {}};
  try {
    const scan = {texts: [] as Scan['texts'][number][], pairs: [] as Scan['pairs'][number][]};
    for (const corpus of texts) scan.texts.push(await scanText(corpus, options));
    for (const corpus of pairs) scan.pairs.push(await scanPairs(corpus, options));
    return scan;
  } finally {
    await scanner.close();
  }
}
