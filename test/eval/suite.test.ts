/** Suites: each task against the function that it stands for, and files that are not as they should be. */
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {parseSuite} from '../../lib/config/index.js';
import {
  alignPair,
  encodePairs,
  runSuite,
  translate,
  bertScore,
  decoderEncoder,
  translationChoice,
  type SuiteInput,
  type TaskResult,
} from '../../lib/eval/index.js';
import type {Decoder} from '../../lib/nn/index.js';
import {folderWith} from '../data/corpora.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {evaluationConfig, pairsOf, sentences, shaken, tokenizer} from './world.js';

const config = evaluationConfig('pairs: 8');
const pairs = pairsOf(20);
const tsv = pairs.sources.map((x, i) => `${x}\t${pairs.targets[i]}\n`).join('');

interface RunOptions extends Pick<SuiteInput, 'trainedOn' | 'openModel'> {
  readonly tasks: string;
  readonly files: Readonly<Record<string, string>>;
  /** Further options of the suite, in YAML. */
  readonly more?: string;
}

async function run(
  t: ExecutionContext,
  decoder: Decoder,
  {tasks, files, more = '', ...input}: RunOptions,
): Promise<TaskResult[]> {
  const folder = await folderWith(t, files);
  const suite = parseSuite(`draws: 50\n${more}\ntasks: [${tasks}]`, join(folder, 'suite.yaml'));
  const results: TaskResult[] = [];
  for await (const result of runSuite({decoder, tokenizer, config, suite, ...input})) results.push(result);
  return results;
}

type Of<Type extends TaskResult['type']> = Extract<TaskResult, {type: Type}>;

onEachDevice(
  ['float32'],
  'perplexity of documents, long ones in strides, whatever stands together',
  async (t, on) => {
    using decoder = shaken(on);
    const long = sentences(60, 9)
      .join(' ')
      .slice(0, 3 * decoder.shape.context);
    const files = {'a.txt': `abc\nde\n\n${long}\n`, 'b.txt': `${long}\n`, 'c.txt': 'abc\nde\n'};
    const task = (file: string, limit = 9): string =>
      `{type: perplexity, language: cs, files: ${file}, limit: ${limit}}`;
    const results = await run(t, decoder, {
      tasks: [task('a.txt'), task('b.txt'), task('c.txt'), task('a.txt', 1)].join(),
      files,
    });
    const [all, second, first, limited] = results as Extract<TaskResult, {type: 'perplexity'}>[];
    t.is(all!.name, 'perplexity cs');
    t.is(all!.count, 2);
    t.is(all!.tokens, 6 + 1 + long.length + 1); // a line end is no letter of this tokenizer, but a token
    t.is(all!.bytes, 6 + long.length);
    const nats = (result: typeof all): number => result!.natsPerToken * result!.tokens;
    closeTo(t, [nats(all)], [nats(first) + nats(second)], 1e-5);
    closeTo(t, [all!.bitsPerByte], [nats(all) / Math.LN2 / all!.bytes], 1e-9);
    t.true(all!.interval[0] <= all!.bitsPerByte && all!.bitsPerByte <= all!.interval[1]);
    t.deepEqual({...limited, seconds: 0}, {...first, seconds: 0});
  },
);

onEachDevice(['float32'], 'tasks on pairs are what their functions give', async (t, on) => {
  using decoder = shaken(on);
  const side = 'source: cs, target: uk, file: a.tsv';
  const tasks = [
    `{type: translation, name: mine, ${side}, metrics: [chrf, bleu], limit: 6}`,
    `{type: translationChoice, ${side}, candidates: 3}`,
    `{type: alignment, ${side}}`,
  ];
  const [translation, choice, alignment] = await run(t, decoder, {
    tasks: tasks.join(),
    files: {'a.tsv': tsv},
  });
  const texts = pairs.sources.slice(0, 6);
  const expected = await translate(
    decoder,
    tokenizer,
    {source: 'cs', target: 'uk', texts},
    {maxNewTokens: Infinity, prefix: false},
  );
  t.like(translation, {type: 'translation', name: 'mine', count: 6, tooLong: 0, outputs: expected});
  t.deepEqual(
    (translation as Extract<TaskResult, {type: 'translation'}>).scores.map(({name}) => name),
    ['chrF2', 'BLEU'],
  );
  const options = {candidates: 3, seed: 0, prefix: false, tokensPerBatch: config.training.tokensPerBatch};
  const {acc, chance} = await translationChoice(decoder, tokenizer, pairs, options);
  t.like(choice, {type: 'translationChoice', name: 'translationChoice cs-uk', count: 20, acc, chance});
  const vectors = await encodePairs(decoder, tokenizer, pairs, {
    tokensPerBatch: config.training.tokensPerBatch,
    prefix: false,
  });
  t.deepEqual(
    (alignment as Extract<TaskResult, {type: 'alignment'}>).alignment,
    alignPair({...vectors, seed: 0, draws: 50}),
  );
});

onEachDevice(['float32'], 'a sentence that leaves no room counts as translated by nothing', async (t, on) => {
  using decoder = shaken(on);
  const long = 'a'.repeat(decoder.shape.context);
  const files = {'a.tsv': `${long}\tabc\nabc\tabc\n`};
  const tasks = '{type: translation, source: cs, target: uk, file: a.tsv}';
  const [result] = await run(t, decoder, {tasks, files});
  t.like(result, {count: 2, tooLong: 1});
  t.is((result as Extract<TaskResult, {type: 'translation'}>).outputs[0], '');
});

onEachDevice(['float32'], 'choices and questions come from records', async (t, on) => {
  using decoder = shaken(on);
  const lines = (...all: object[]): string => all.map((each) => `${JSON.stringify(each)}\n`).join('');
  const files = {
    'c.jsonl': lines(
      {context: 'abc', choices: ['de', 'fgh'], answer: 0},
      {context: 'abc', choices: ['de', 'fgh'], answer: 1},
    ),
    'q.jsonl': lines(
      {p: {c: 'abc def'}, q: 'what', a: ['def', 'other']},
      {p: {c: 'x'.repeat(200)}, q: 'what', a: 'x'},
    ),
  };
  const tasks = [
    '{type: choice, language: cs, file: c.jsonl}',
    '{type: questions, language: uk, file: q.jsonl, contextField: p.c, questionField: q, answerField: a, template: "{context} {question} ", maxNewTokens: 4}',
  ];
  const [choice, questions] = await run(t, decoder, {tasks: tasks.join(), files});
  t.like(choice, {type: 'choice', count: 2, acc: 1 / 2, chance: 1 / 2}); // one of the two answers it is
  t.like(questions, {type: 'questions', count: 2, exactMatch: 0, exactMatches: [false, false]});
  t.deepEqual((questions as Of<'questions'>).exactMatchInterval, [0, 0]);
});

onEachDevice(['float32'], 'what is wrong with a task is told with its place', async (t, on) => {
  using decoder = shaken(on);
  for (const [tasks, files, code, message] of [
    [
      '{type: perplexity, language: en, files: a}',
      {},
      'ERR_ARGUMENT',
      /^tasks\[0\]: en is no language of the model \(cs, uk\)/,
    ],
    ['{type: perplexity, language: cs, files: a}', {}, 'ERR_DATA', /a does not exist; tasks\[0\] names it/],
    ['{type: perplexity, language: cs, files: a}', {a: '\n'}, 'ERR_DATA', /no document in .*\(tasks\[0\]\)/],
    ['{type: alignment, source: cs, target: uk, file: a}', {a: 'x\t\n'}, 'ERR_DATA', /no pair of cs and uk/],
    [
      '{type: choice, language: cs, file: a.jsonl}',
      {'a.jsonl': '{"context": "", "choices": "a", "answer": 0}'},
      'ERR_DATA',
      /a\.jsonl:1: choices must be a list of texts/,
    ],
    [
      '{type: choice, language: cs, file: a.jsonl}',
      {'a.jsonl': '{"context": "", "choices": ["a", "b"], "answer": "0"}'},
      'ERR_DATA',
      /a\.jsonl:1: answer must be the number of the right answer/,
    ],
  ] satisfies [string, Record<string, string>, string, RegExp][])
    await t.throwsAsync(run(t, decoder, {tasks, files}), {code, message});
});

const side = 'source: cs, target: uk, file: a.tsv, limit: 4';

onEachDevice(['float32'], 'scores of vectors are those of the encoder, or of a decoder', async (t, on) => {
  using decoder = shaken(on);
  const module = `export const encoder = {
    name: 'letters', layer: 0,
    encode: (all) => all.map((text) => ({
      tokens: Array.from(text, (letter) => letter.charCodeAt(0)),
      vectors: Float64Array.from(text, (letter) => letter.charCodeAt(0) % 7 - 3.5),
    })),
  };`;
  const question = {context: 'abc', question: 'de', answer: ['fgh']};
  const tasks = [
    `{type: translation, ${side}, metrics: [chrf, bertscore, crossmap-score]}`,
    '{type: questions, language: uk, file: q.jsonl, maxNewTokens: 4, template: "{context} {question}", metrics: [bertscore]}',
  ].join();
  const files = {'a.tsv': tsv, 'q.jsonl': JSON.stringify(question), 'letters.mjs': module};
  const baselines = '[{language: uk, precision: 0.5, recall: 0.5, f1: 0.5}]';
  const more = `bertscore: {encoder: letters.mjs, idf: true, baselines: ${baselines}}`;
  const [translation, questions] = (await run(t, decoder, {tasks, files, more})) as [
    Of<'translation'>,
    Of<'questions'>,
  ];
  t.deepEqual(
    translation.scores.map(({name}) => name),
    [
      'chrF2',
      ...['BERTScore', 'crossmap-score'].flatMap((name) => ['P', 'R', 'F1'].map((of) => `${name} ${of}`)),
    ],
  );
  t.regex(translation.scores[1]!.signature, /^letters_L0_idf_.*-custom-rescaled\(0\.5000,0\.5000,0\.5000\)$/);
  const encoder = await decoderEncoder(decoder, tokenizer, {
    language: 'uk',
    tokensPerBatch: 64,
    prefix: false,
  });
  const translated = translation.outputs.map((hypothesis, i) => ({
    hypothesis,
    references: [translation.references[i]!],
  }));
  const {hash, precision, sentences: each} = await bertScore(encoder, translated);
  t.like(translation.scores[4], {
    score: precision,
    signature: hash,
    values: each.map((values) => values.precision),
  });
  t.true(translation.scores.every(({halfWidth}) => halfWidth >= 0));
  t.deepEqual(
    questions.scores?.map(({name, values}) => [name, values?.length]),
    [
      ['BERTScore P', 1],
      ['BERTScore R', 1],
      ['BERTScore F1', 1],
    ],
  );
});

onEachDevice(['float32'], 'another model can give crossmap-score its vectors', async (t, on) => {
  using decoder = shaken(on);
  const other = shaken(on, {layers: 3});
  const task = `{type: translation, ${side}, metrics: [crossmap-score]}`;
  const options = {tasks: task, files: {'a.tsv': tsv}, more: 'crossmapScore: {model: other}'};
  let [opened, disposed] = ['', 0];
  const openModel = async (folder: string) => {
    opened = folder;
    return {
      decoder: other,
      tokenizer,
      config,
      dispose() {
        disposed++;
        other.dispose();
      },
    };
  };
  const {name} = await decoderEncoder(other, tokenizer, {language: 'uk', tokensPerBatch: 64, prefix: false});
  const [result] = (await run(t, decoder, {...options, openModel})) as [Of<'translation'>];
  t.regex(opened, /other$/);
  t.is(disposed, 1);
  t.true(result.scores[0]!.signature.startsWith(`${name}_L2_`)); // of three layers the second
  await t.throwsAsync(run(t, decoder, options), {code: 'ERR_ARGUMENT', message: /openModel is needed/});
  const foreign = {...tokenizer, languages: ['cs']};
  await t.throwsAsync(
    run(t, decoder, {
      ...options,
      openModel: async () => ({decoder, tokenizer: foreign, config, dispose() {}}),
    }),
    {
      code: 'ERR_ARGUMENT',
      message: /^crossmap-score: uk is no language of the model that gives the vectors \(cs\)$/,
    },
  );
});

onEachDevice(['float32'], 'what a model was trained on is refused, left out, or told', async (t, on) => {
  using decoder = shaken(on);
  const known = [pairs.sources[1]!, pairs.targets[3]!, 'old line', 'what is it'];
  const trainedOn = {
    text: {among: async (all: readonly string[]) => new Set(all.filter((each) => known.includes(each)))},
  };
  const lines = (...all: object[]): string => all.map((each) => `${JSON.stringify(each)}\n`).join('');
  const files = {
    'a.tsv': tsv,
    'a.txt': 'new line\nold line\n\nothers\n',
    'c.jsonl': lines(
      {context: 'old line', choices: ['a', 'b'], answer: 0},
      {context: '', choices: ['new', 'old line'], answer: 0},
      {context: 'fresh', choices: ['new', 'old line'], answer: 0},
    ),
    'q.jsonl': lines(
      {context: 'new\nold line', question: 'x', answer: 'y'},
      {context: 'new', question: 'what is it', answer: 'y'},
      {context: 'new', question: 'where is it', answer: 'old line'},
    ),
  };
  const tasks = [
    `{type: translation, ${side}}`,
    '{type: perplexity, language: cs, files: a.txt}',
    '{type: choice, language: cs, file: c.jsonl}',
    '{type: questions, language: cs, file: q.jsonl, maxNewTokens: 2, template: "{question}"}',
  ];
  const all = tasks.join();
  const dropped = await run(t, decoder, {tasks: all, files, trainedOn, more: 'overlap: drop'});
  t.deepEqual(
    dropped.map(({count, overlap}) => [count, overlap]),
    [
      [2, {checked: true, items: 2, dropped: true}],
      [1, {checked: true, items: 1, dropped: true}],
      [1, {checked: true, items: 2, dropped: true}],
      [1, {checked: true, items: 2, dropped: true}],
    ],
  );
  const allowed = await run(t, decoder, {tasks: all, files, trainedOn, more: 'overlap: allow'});
  t.deepEqual(
    allowed.map(({count, overlap}) => [count, overlap]),
    [4, 2, 3, 3].map((count, i) => [count, {checked: true, items: [2, 1, 2, 2][i]!, dropped: false}]),
  );
  t.not(allowed[0]!.items, dropped[0]!.items);
  for (const [i, found] of [
    /^tasks\[0\]: the model was trained on 2 of 4 items, for example ".*"; overlap: drop leaves them out, overlap: allow/,
    /1 of 2 items, for example "old line"/,
    /2 of 3 items, for example "old line"/,
    /2 of 3 items, for example "old line"/,
  ].entries())
    await t.throwsAsync(run(t, decoder, {tasks: tasks[i]!, files, trainedOn}), {
      code: 'ERR_DATA',
      message: found,
    });
  const old = {...files, 'a.txt': 'old line\n'};
  await t.throwsAsync(run(t, decoder, {tasks: tasks[1]!, files: old, trainedOn, more: 'overlap: drop'}), {
    code: 'ERR_DATA',
    message: /1 of 1 items, for example "old line"; nothing is left to measure$/,
  });
  const [unknown] = await run(t, decoder, {tasks: tasks[1]!, files, trainedOn: {unknown: 'it is gone'}});
  t.deepEqual(unknown!.overlap, {checked: false, reason: 'it is gone'});
});
