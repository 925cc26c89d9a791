/** The comparisons of each condition, as a table, JSON and a page. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {crossmap} from './crossmap.js';
import {resultsOf, type Workshop} from './run-model.js';

/** Compares the arms of those conditions whose runs are all done. */
export async function compareConditions(
  {plan, models, results, signal}: Workshop,
  conditions: readonly string[],
): Promise<void> {
  for (const [condition, {arms, against = arms.slice(0, 1)}] of Object.entries(plan.conditions)) {
    if (!conditions.includes(condition)) continue;
    const filesOf = (arm: string): string[] =>
      plan.seeds.map((seed) => resultsOf(models, `${condition}.${arm}.${seed}`));
    if (!arms.flatMap(filesOf).every((file) => existsSync(file))) continue;
    for (const [index, baseline] of against.entries()) {
      const order = [baseline, ...arms.filter((arm) => arm !== baseline)];
      const groups = order.flatMap((arm) => filesOf(arm).map((file) => `${arm}=${file}`));
      const name = join(results, index === 0 ? condition : `${condition}.against-${baseline}`);
      const written = ['--output', `${name}.json`, '--page', `${name}.html`];
      const log = join(models, `${condition}.log`);
      console.log(await crossmap(['compare', ...groups, ...written], {log, signal}));
    }
  }
}
