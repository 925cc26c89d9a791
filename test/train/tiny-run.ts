/** A run so small that it takes a second: two made-up languages whose sentences correspond word by word. */
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseConfig, type Config} from '../../lib/config/index.js';
import {train, type TrainEvent, type TrainOptions} from '../../lib/train/index.js';
import {uniformNumbers} from '../support/numbers.js';

const words: readonly (readonly [en: string, cs: string])[] = [
  ['house', 'dům'],
  ['tree', 'strom'],
  ['river', 'řeka'],
  ['dog', 'pes'],
  ['bird', 'pták'],
  ['road', 'cesta'],
  ['night', 'noc'],
  ['day', 'den'],
  ['small', 'malý'],
  ['old', 'starý'],
  ['green', 'zelený'],
  ['quiet', 'tichý'],
  ['sees', 'vidí'],
  ['finds', 'najde'],
  ['likes', 'má rád'],
  ['and', 'a'],
];

/** Writes `en.txt`, `cs.txt` and `en-cs.tsv` into a folder: two thirds of the sentences as text, the latter half as pairs. */
export async function writeCorpus(folder: string, sentences = 240): Promise<void> {
  const uniform = uniformNumbers(5);
  const pairs = Array.from({length: sentences}, () => {
    const chosen = Array.from(
      {length: 3 + Math.floor(uniform() * 4)},
      () => words[Math.floor(uniform() * words.length)]!,
    );
    return [0, 1].map((side) => `${chosen.map((word) => word[side]!).join(' ')}.`);
  });
  await mkdir(folder, {recursive: true});
  const text = (side: number): string =>
    pairs
      .slice(0, Math.ceil((2 * sentences) / 3))
      .map((pair) => `${pair[side]!}\n`)
      .join('');
  await writeFile(join(folder, 'en.txt'), text(0));
  await writeFile(join(folder, 'cs.txt'), text(1));
  await writeFile(
    join(folder, 'en-cs.tsv'),
    pairs
      .slice(sentences >> 1)
      .map((pair) => `${pair.join('\t')}\n`)
      .join(''),
  );
}

/** A configuration over `writeCorpus`, as YAML. */
export const tinyYaml = `
data:
  monolingual:
    - {language: cs, files: cs.txt}
    - {language: en, files: en.txt}
  parallel:
    - {source: en, target: cs, file: en-cs.tsv}
  heldOut: {documentShare: 0.1, pairs: 12}
  maxEpochs: 1000
  mappingShare: 0.5
tokenizer: {vocabSize: 320}
model: {layers: 2, features: 32, heads: 2, kvHeads: 1, hiddenFeatures: 64, context: 48}
training:
  steps: 12
  tokensPerBatch: 320
  accumulation: 2
  learningRate: 5.0e-3
  warmupSteps: 2
  checkpointEvery: 5
evaluation: {every: 6, textTokens: 256, pairs: 12, bootstrap: 20, samples: 1, maxNewTokens: 6}
`;

/** Settings of a run that is small enough for the emulated GPU, beside those of `training`. */
export const smallRun: readonly string[] = [
  'model={layers: 2, features: 16, heads: 2, kvHeads: 1, hiddenFeatures: 24, context: 48}',
  'evaluation={every: 1000, atStart: false, pairs: 0, samples: 0, textTokens: 64}',
];

/** The configuration, its corpus in `folder` and its output in `folder/<output>`. */
export function tinyConfig(folder: string, set: readonly string[] = [], output = 'run'): Config {
  const all = [`output=${join(folder, output)}`, `data.root=${folder}`, ...set];
  return parseConfig(tinyYaml, {file: join(folder, 'tiny.yaml'), set: all});
}

/** Runs to the end, or to where `until` says stop; the events so far. */
export async function collect(
  config: Config,
  options: TrainOptions = {},
  until: (event: TrainEvent) => boolean = () => false,
): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of train(config, options)) {
    events.push(event);
    if (until(event)) break;
  }
  return events;
}

/** The events of one type. */
export function only<T extends TrainEvent['type']>(
  events: readonly TrainEvent[],
  type: T,
): Extract<TrainEvent, {type: T}>[] {
  return events.filter((event): event is Extract<TrainEvent, {type: T}> => event.type === type);
}
