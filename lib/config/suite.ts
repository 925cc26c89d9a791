/** Reads an evaluation suite: YAML, schema, cross-checks, absolute files. */
import {dirname, resolve} from 'node:path';
import {checkPairs} from './check-data.js';
import {checked, readFileOf, refuseMistakes} from './checked.js';
import {jsonSchemaOf, type JsonSchema} from './json-schema.js';
import type {Complaint} from './messages.js';
import {readSource} from './source.js';
import {suiteSchema, type MeasureName, type ParsedSuite} from './suite-schema.js';

type DeepReadonly<T> = T extends object ? {readonly [Key in keyof T]: DeepReadonly<T[Key]>} : T;

/** A suite: every option filled in, every file absolute. */
export type Suite = DeepReadonly<ParsedSuite>;

/** A task of a suite. */
export type SuiteTask = Suite['tasks'][number];

/**
 * Reads and checks the suite in `path`. Relative files start from its folder.
 *
 * @throws ERR_IO where the file cannot be read; ERR_CONFIG with one line for each mistake
 */
export async function loadSuite(path: string): Promise<Suite> {
  return parseSuite(await readFileOf('suite', path), path);
}

/**
 * The same of a text.
 *
 * @param file that it comes from, for errors and relative files
 * @throws ERR_CONFIG
 */
export function parseSuite(content: string, file = 'suite.yaml'): Suite {
  const {data, source} = checked(suiteSchema, readSource(content, file, []), 'the suite');
  refuseMistakes(source, [
    ...[...data.tasks.entries()].flatMap(([index, task]) => [
      ...checkTask(task, index),
      ...checkMetrics(task, index, data),
    ]),
    ...checkPrimary(data),
  ]);
  const folder = dirname(resolve(file));
  const at = (name: string): string => resolve(folder, name);
  const {bertscore, crossmapScore} = data;
  return {
    ...data,
    ...(bertscore && {bertscore: {...bertscore, encoder: at(bertscore.encoder)}}),
    crossmapScore: {...crossmapScore, ...(crossmapScore.model && {model: at(crossmapScore.model)})},
    tasks: data.tasks.map((task) => withFiles(task, at)),
  };
}

/** The suite as a JSON schema (draft 2020-12). */
export function suiteJsonSchema(): JsonSchema {
  return jsonSchemaOf(suiteSchema);
}

function* checkPrimary({primary = [], tasks}: ParsedSuite): Generator<Complaint> {
  const measured = new Set(tasks.flatMap(measuresOf));
  for (const [index, measure] of primary.entries())
    if (!measured.has(measure))
      yield {
        path: ['primary', index],
        sentence: `primary[${index}] is ${measure}, which no task measures: the tasks measure ${[...measured].join(', ')}`,
      };
}

function measuresOf(task: ParsedSuite['tasks'][number]): readonly MeasureName[] {
  if (task.type === 'perplexity') return ['bits-per-byte'];
  if (task.type === 'alignment') return ['lac', 'p@1', 'margin-error'];
  if (task.type === 'translation') return task.metrics;
  if (task.type === 'questions') return ['exact-match', 'f1', ...(task.metrics ?? [])];
  return ['acc'];
}

function* checkTask(task: ParsedSuite['tasks'][number], index: number): Generator<Complaint> {
  if ('source' in task) yield* checkPairs(`tasks[${index}]`, ['tasks', index], task);
}

/** BERTScore needs an encoder, and where it is rescaled a baseline for the language that is scored. */
function* checkMetrics(
  task: ParsedSuite['tasks'][number],
  index: number,
  {bertscore}: ParsedSuite,
): Generator<Complaint> {
  const scored = task.type === 'translation' ? task.target : 'language' in task ? task.language : undefined;
  if (!('metrics' in task) || !task.metrics?.some((metric) => metric === 'bertscore')) return;
  const path = ['tasks', index, 'metrics'];
  if (bertscore === undefined)
    yield {
      path,
      sentence: `tasks[${index}].metrics has bertscore, for which bertscore.encoder must name a module`,
    };
  else if (bertscore.baselines && !bertscore.baselines.some(({language}) => language === scored))
    yield {
      path,
      sentence: `tasks[${index}].metrics has bertscore of ${scored}, for which bertscore.baselines has none`,
    };
}

function withFiles(task: SuiteTask, at: (file: string) => string): SuiteTask {
  if (task.type === 'perplexity') return {...task, files: task.files.map(at)};
  if (task.type === 'choice' || task.type === 'questions') return {...task, file: at(task.file)};
  const {files, file, ...rest} = task;
  return {
    ...rest,
    ...(files && {files: [at(files[0]), at(files[1])] as const}),
    ...(file && {file: file.map(at)}),
  };
}
