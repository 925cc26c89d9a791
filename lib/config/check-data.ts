/** What the options of the data must be to each other. */
import type {Config} from './config.js';
import type {Complaint} from './messages.js';
import {stageEnds} from './stages.js';
import {nearest} from './suggest.js';

/** What of an entry of sentence pairs is checked. */
type PairEntry = Pick<
  NonNullable<Config['data']['parallel']>[number],
  'source' | 'target' | 'files' | 'file' | 'format' | 'columns' | 'fields'
>;

export function* checkData(
  {data, objectives, training}: Config,
  {needsText}: {readonly needsText: boolean},
): Generator<Complaint> {
  if (needsText && !data.monolingual && !data.parallel)
    yield {
      path: ['data'],
      sentence: 'data must have monolingual text, parallel text or both; it has neither',
    };
  for (const [index, corpus] of (data.parallel ?? []).entries())
    yield* checkPairs(`data.parallel[${index}]`, ['data', 'parallel', index], corpus);
  yield* checkLanguages(data);
  yield* checkInput(data);
  yield* checkStages(data, training.steps);
  if (objectives.mapping.weight > 0 && data.mappingShare === 0)
    yield {
      path: ['data', 'mappingShare'],
      sentence: `data.mappingShare must be above 0, for objectives.mapping.weight is ${objectives.mapping.weight}; got 0`,
    };
  if (typeof data.mappingSchedule === 'string') return;
  let last = -1;
  for (const [step] of data.mappingSchedule) {
    if (step <= last || step >= training.steps)
      yield {
        path: ['data', 'mappingSchedule'],
        sentence: `data.mappingSchedule must have rising steps below training.steps (${training.steps}); got ${step}${last < 0 ? '' : ` after ${last}`}`,
      };
    last = step;
  }
}

/** @param name of the entry, as a user writes it: `data.parallel[0]` */
export function* checkPairs(name: string, path: Complaint['path'], corpus: PairEntry): Generator<Complaint> {
  if (corpus.source === corpus.target)
    yield {
      path: [...path, 'target'],
      sentence: `${name}.target must be another language than source; both are ${corpus.source}`,
    };
  if (corpus.files && corpus.file)
    yield {path: [...path, 'file'], sentence: `${name} must have files or file; it has both`};
  if (!corpus.files && !corpus.file)
    yield {
      path,
      sentence: `${name} must have files: [source file, target file], or file: one that holds both sides; it has neither`,
    };
  for (const option of ['format', 'columns', 'fields'] as const)
    if (corpus.files && corpus[option] !== undefined)
      yield {
        path: [...path, option],
        sentence: `${name}.${option} belongs to file; with files it has no meaning`,
      };
  for (const option of ['columns', 'fields'] as const) {
    const [first, second] = corpus[option] ?? [0, 1];
    if (first === second)
      yield {
        path: [...path, option],
        sentence: `${name}.${option} must be two different ${option}; both are ${first}`,
      };
  }
}

/** Rounding of shares such as 1/3, which a user writes with a few digits. */
const shareTolerance = 1e-3;

/** Each source of pairs has one stage, and each stage pairs. */
function* checkStages({stages, parallel = []}: Config['data'], steps: number): Generator<Complaint> {
  if (!stages) return;
  const path = ['data', 'stages'];
  const sum = stages.reduce((total, {share}) => total + share, 0);
  if (Math.abs(sum - 1) > shareTolerance)
    yield {
      path,
      sentence: `data.stages must have shares that sum to 1; they sum to ${Number(sum.toPrecision(4))}`,
    };
  const names = [...new Set(parallel.flatMap(({name = []}) => name))];
  const ends = stageEnds(stages, steps);
  for (const [index, {pairs}] of stages.entries()) {
    const option = `data.stages[${index}]`;
    if ((ends[index] ?? 0) <= (ends[index - 1] ?? 0))
      yield {
        path: [...path, index, 'share'],
        sentence: `${option}.share is less than one of the ${steps} steps of training (training.steps)`,
      };
    if (stages.findIndex((stage) => stage.pairs === pairs) < index)
      yield {
        path: [...path, index, 'pairs'],
        sentence: `${option}.pairs is ${pairs}, which has a stage already; a source of pairs has one stage`,
      };
    if (names.includes(pairs)) continue;
    const meant = nearest(pairs, names);
    const there = names.length === 0 ? 'none has a name' : `there are ${names.join(', ')}`;
    yield {
      path: [...path, index, 'pairs'],
      sentence: `${option}.pairs is ${pairs}, which is no name in data.parallel; ${there}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    };
  }
  for (const [index, {name}] of parallel.entries())
    if (!stages.some(({pairs}) => pairs === name))
      yield {
        path: ['data', 'parallel', index, ...(name === undefined ? [] : ['name'])],
        sentence:
          name === undefined
            ? `data.parallel[${index}] must have a name, for data.stages says when each source of pairs is used`
            : `data.parallel[${index}].name is ${name}, which no stage of data.stages uses`,
      };
}

/** Standard input is read once, by one entry. */
function* checkInput({monolingual = [], parallel = []}: Config['data']): Generator<Complaint> {
  const names = [
    ...monolingual.flatMap(({files}) => files),
    ...parallel.flatMap(({file = []}) => file),
    ...parallel.flatMap(({files = []}) => files),
  ];
  const count = names.filter((name) => name === '-').length;
  if (count > 1)
    yield {path: ['data'], sentence: `data can name standard input (-) once; it does ${count} times`};
  if (parallel.some(({files = []}) => files.some((name) => name === '-')))
    yield {
      path: ['data', 'parallel'],
      sentence:
        'data.parallel: standard input (-) can be file, which holds both sides, but none of two files',
    };
}

/** A language that stands in pairs alone is nearly always a slip: `cz` for `cs`. */
function* checkLanguages({monolingual, parallel}: Config['data']): Generator<Complaint> {
  if (!monolingual) return;
  const known = [...new Set(monolingual.map(({language}) => language))];
  for (const [index, corpus] of (parallel ?? []).entries())
    for (const side of ['source', 'target'] as const) {
      if (known.includes(corpus[side])) continue;
      const meant = nearest(corpus[side], known);
      yield {
        path: ['data', 'parallel', index, side],
        sentence: `data.parallel[${index}].${side} is ${corpus[side]}, a language without text in data.monolingual (${known.join(', ')})${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      };
    }
}
