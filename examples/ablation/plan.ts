/** The experiment as `ablation.yaml` declares it, and the runs that it makes. */
import {readFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {parse} from 'yaml';
import {z} from 'zod';
import type {ConfigInput} from '../../lib/config/index.js';
import {littleShare, splitFiles} from './split-files.js';

const names = z.array(z.string()).min(1);

/** Options of a configuration, which training checks. */
const options = z.record(z.string(), z.unknown());

const planSchema = z.strictObject({
  hub: z.string(),
  languages: names,
  corpora: names,
  /** Measures, which the suite checks. */
  primary: names,
  seeds: z.array(z.int()).min(1),
  test: z.strictObject({
    pairs: z.int().min(1),
    translated: z.int().min(1),
    documentShare: z.number().gt(0).lt(1),
    similarity: z.number().gt(0).max(1),
    /** Another word holds out other documents: options are chosen on those, and measured on these. */
    salt: z.string().default('test'),
  }),
  vocabSize: z.int(),
  base: z.strictObject({model: options, data: options, training: z.looseObject({steps: z.int()})}),
  arms: z.record(
    z.string(),
    z.strictObject({
      objectives: options,
      partners: z.enum(['true', 'shuffled']).default('true'),
      /** What differs from `base`. */
      model: options.default({}),
      data: options.default({}),
      training: z.looseObject({steps: z.int().optional()}).default({}),
    }),
  ),
  conditions: z.record(
    z.string(),
    z.strictObject({
      arms: names,
      /** Arms that all are compared with, each in a comparison of its own; default the first. */
      against: names.optional(),
      pairs: z.int().min(1),
      little: z.string().optional(),
      from: z.string().optional(),
      steps: z.int().optional(),
    }),
  ),
});

export type Plan = z.output<typeof planSchema>;

/** One model of the experiment. */
export interface Run {
  /** `CONDITION.ARM.SEED` */
  readonly name: string;
  readonly condition: string;
  readonly arm: string;
  readonly seed: number;
  /** Run whose weights it starts from. */
  readonly from?: string;
  readonly steps: number;
  readonly pairs: number;
  readonly partners: 'true' | 'shuffled';
  /** Language with little text. */
  readonly little?: string;
}

/**
 * Reads a plan.
 *
 * @throws where an option is missing, unknown or not what it should be, and for names that stand for nothing
 */
export async function readPlan(file: string): Promise<Plan> {
  const plan = planSchema.parse(await readSections(file));
  for (const [name, {arms, against = [], little, from}] of Object.entries(plan.conditions)) {
    const absent = against.find((arm) => !arms.includes(arm));
    if (absent !== undefined)
      throw new Error(`${file}: conditions.${name}: against names ${absent}, which is not among its arms`);
    const unknown = [...arms, ...(from ? [from] : [])].find((arm) => !Object.hasOwn(plan.arms, arm));
    if (unknown !== undefined) throw new Error(`${file}: conditions.${name}: there is no arm ${unknown}`);
    if (little !== undefined && ![plan.hub, ...plan.languages].includes(little))
      throw new Error(`${file}: conditions.${name}: there is no language ${little}`);
  }
  return plan;
}

/**
 * The sections of a file, and what it does not say of those of the file that it extends. Arms and conditions are taken
 * whole: else a sweep would train those of the experiment too.
 */
async function readSections(file: string): Promise<Options> {
  const {extends: base, ...own} = extendingSchema.parse(parse(await readFile(file, 'utf8')));
  if (base === undefined) return own;
  const inherited = await readSections(join(dirname(file), base));
  const {arms = inherited['arms'], conditions = inherited['conditions'], ...rest} = own;
  return {...completed(rest, inherited), arms, conditions};
}

/** Options, with those that only the base has, at every depth. */
function completed(own: Options, base: Options): Options {
  const merged = {...base, ...own};
  for (const [name, value] of Object.entries(own)) {
    const before = base[name];
    if (isOptions(value) && isOptions(before)) merged[name] = completed(value, before);
  }
  return merged;
}

type Options = Record<string, unknown>;

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const extendingSchema = z.looseObject({extends: z.string().optional()});

/** The runs, those of a condition seed by seed; a run comes after the one that it starts from. */
export function runsOf(plan: Plan): Run[] {
  return Object.entries(plan.conditions).flatMap(([condition, {arms, pairs, little, from, steps}]) =>
    plan.seeds.flatMap((seed) =>
      arms.map((arm) => ({
        name: `${condition}.${arm}.${seed}`,
        condition,
        arm,
        seed,
        pairs,
        partners: plan.arms[arm]?.partners ?? 'true',
        steps: steps ?? plan.arms[arm]?.training.steps ?? plan.base.training.steps,
        ...(from !== undefined && {from: `${firstCondition(plan)}.${from}.${seed}`}),
        ...(little !== undefined && {little}),
      })),
    ),
  );
}

/** The condition whose runs others go on from. */
function firstCondition(plan: Plan): string {
  return Object.keys(plan.conditions)[0] ?? '';
}

/** The configuration of a run; its output goes into a folder of its name. */
export function configOf(
  plan: Plan,
  run: Run,
  {split, models}: {readonly split: string; readonly models: string},
): ConfigInput {
  const arm = plan.arms[run.arm];
  return {
    name: run.name,
    output: join(models, run.name),
    seed: run.seed,
    data: {
      root: split,
      monolingual: [plan.hub, ...plan.languages].map((language) => ({
        language,
        files: splitFiles.text(language, run.little === language ? littleShare : 1),
      })),
      parallel: plan.languages.map((target) => ({
        source: plan.hub,
        target,
        file: splitFiles.pairs(target, run.pairs, run.partners),
      })),
      // What is measured lies outside of the training text: the split saw to that.
      heldOut: {documentShare: 0, pairs: 0},
      ...plan.base.data,
      ...arm?.data,
    },
    tokenizer: {file: splitFiles.tokenizer},
    model: {...plan.base.model, ...arm?.model},
    objectives: arm?.objectives ?? {},
    training: {
      ...plan.base.training,
      ...arm?.training,
      steps: run.steps,
      ...(run.from !== undefined && {from: join(models, run.from)}),
    },
    evaluation: {every: run.steps, atStart: false, pairs: 0, samples: 0, textTokens: 1024},
  };
}
