/** Trains a model of the experiment and measures it. */
import {existsSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {hashOfCorpora} from './corpora.js';
import {crossmap} from './crossmap.js';
import {hashOf} from './hash-order.js';
import {configOf, type Plan, type Run} from './plan.js';
import {writeSplit} from './split.js';
import {suiteOf} from './suite.js';

/** Where everything lies. */
export interface Workshop {
  readonly plan: Plan;
  /** Folder of the split. */
  readonly split: string;
  /** Folder of the models, and of what was measured of each. */
  readonly models: string;
  /** Folder of the comparisons. */
  readonly results: string;
  readonly signal: AbortSignal;
}

/** Folder of the models in a folder of work. */
export function modelsOf(work: string): string {
  return join(work, 'models');
}

/** File with what was measured of a run; it is there once the run is done. */
export function resultsOf(models: string, name: string): string {
  return join(models, `${name}.json`);
}

interface WorkshopOptions {
  readonly corpora: string;
  readonly work: string;
  readonly results: string;
  readonly signal: AbortSignal;
}

/** Makes the split if it is not there, and the folders. */
export async function openWorkshop(
  plan: Plan,
  {corpora, work, results, signal}: WorkshopOptions,
): Promise<Workshop> {
  const pairCounts = [...new Set(Object.values(plan.conditions).map(({pairs}) => pairs))];
  const {hub, languages, test, vocabSize} = plan;
  const texts = {folder: corpora, names: plan.corpora};
  const key = hashOf(
    JSON.stringify([await hashOfCorpora(texts, hub, languages), hub, languages, test, vocabSize, pairCounts]),
  );
  const split = join(work, `split-${key.slice(0, 12)}`);
  const models = modelsOf(work);
  for (const folder of [work, models, results]) await mkdir(folder, {recursive: true});
  if (!existsSync(split)) {
    console.log(`writing ${split}`);
    console.log(await writeSplit(split, {corpora: texts, plan, pairCounts}));
  }
  await writeFile(join(split, 'suite.yaml'), JSON.stringify(suiteOf(plan), null, 2));
  return {plan, split, models, results, signal};
}

/**
 * @param finished runs under way or done, by name: one that starts from another waits for it
 */
export async function runModel(
  {plan, split, models, signal}: Workshop,
  run: Run,
  finished: ReadonlyMap<string, Promise<void>>,
): Promise<void> {
  const output = resultsOf(models, run.name);
  if (existsSync(output)) return;
  const log = join(models, `${run.name}.log`);
  if (run.from !== undefined) await finished.get(run.from);
  const config = configOf(plan, run, {split, models});
  const configFile = join(models, `${run.name}.yaml`);
  await writeFile(configFile, JSON.stringify({...config, threads: 1}, null, 2));
  await crossmap(['train', configFile, '--json'], {log, signal});
  const suite = join(split, 'suite.yaml');
  await crossmap(['eval', join(models, run.name), '--suite', suite, '--output', output], {log, signal});
}
