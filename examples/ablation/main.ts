/** `npm run ablation`: trains and measures what ablation.yaml declares. What is done already is not done again. */
import {existsSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Command} from 'commander';
import {wholeNumber} from '../../lib/cli/numbers.js';
import {compareConditions} from './compare.js';
import {readPlan, runsOf, type Run} from './plan.js';
import {modelsOf, openWorkshop, resultsOf, runModel, type Workshop} from './run-model.js';

const folder = fileURLToPath(new URL('../../../examples/ablation', import.meta.url));

interface Options {
  readonly plan: string;
  readonly corpora: string;
  readonly work: string;
  readonly results: string;
  readonly only?: string;
  readonly jobs: number;
  readonly list?: true;
}

await new Command('ablation')
  .description('Train and measure the runs of an ablation; what is done already is not done again.')
  .option('--plan <file>', 'what is declared', join(folder, 'ablation.yaml'))
  .option('--corpora <folder>', 'what npm run corpora wrote', 'runs/corpora')
  .option('--work <folder>', 'where models go, their text, and what is measured of them', 'runs/ablation')
  .option('--results <folder>', 'where comparisons go', join(folder, 'results'))
  .option('--only <text>', 'runs whose name, such as main.full.1, contains this')
  .option(
    '--jobs <number>',
    'models trained at a time, a thread each',
    wholeNumber(1),
    availableParallelism(),
  )
  .option('--list', 'say which runs there are and which are done')
  .action(ablate)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });

async function ablate(options: Options): Promise<void> {
  const plan = await readPlan(options.plan);
  const runs = runsOf(plan).filter(({name}) => name.includes(options.only ?? ''));
  if (runs.length === 0)
    throw new Error(`${options.plan}: no run's name contains ${options.only}; --list says which there are`);
  const work = resolve(options.work);
  if (options.list) {
    for (const {name} of runs)
      console.log(`${existsSync(resultsOf(modelsOf(work), name)) ? 'done' : '    '}  ${name}`);
    return;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Error('stopped; the same command goes on from here')));
  const {signal} = stop;
  const workshop = await openWorkshop(plan, {
    corpora: resolve(options.corpora),
    work,
    results: resolve(options.results),
    signal,
  });
  await runAll(workshop, runs, {jobs: options.jobs, stop});
  await compareConditions(workshop, [...new Set(runs.map(({condition}) => condition))]);
}

/** Runs so many models at a time, in order. One that fails stops the others, which keep what they have done. */
async function runAll(
  workshop: Workshop,
  runs: readonly Run[],
  {jobs, stop}: {readonly jobs: number; readonly stop: AbortController},
): Promise<void> {
  const start = performance.now();
  const finished = new Map<string, Promise<void>>();
  const waiting = [...runs];
  const work = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      const promise = runModel(workshop, run, finished);
      finished.set(run.name, promise);
      await promise;
      const minutes = ((performance.now() - start) / 60_000).toFixed(1);
      console.log(
        `${run.name}: done, ${minutes} minutes after the start; ${waiting.length} of ${runs.length} wait`,
      );
    }
  };
  const workers = Array.from({length: jobs}, () =>
    work().catch((error: unknown) => {
      if (!stop.signal.aborted) stop.abort(error);
    }),
  );
  await Promise.all(workers);
  stop.signal.throwIfAborted();
}
