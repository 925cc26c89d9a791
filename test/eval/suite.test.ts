/** Suites: each task against the function that it stands for, and files that are not as they should be. */
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {parseSuite} from '../../lib/config/index.js';
import {
  alignPair,
  encodePairs,
  runSuite,
  translate,
  translationChoice,
  type TaskResult,
} from '../../lib/eval/index.js';
import type {Decoder} from '../../lib/nn/index.js';
import {folderWith} from '../data/corpora.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {evaluationConfig, pairsOf, sentences, shaken, tokenizer} from './world.js';

const config = evaluationConfig('pairs: 8');
const pairs = pairsOf(20);
const tsv = pairs.sources.map((x, i) => `${x}\t${pairs.targets[i]}\n`).join('');

async function run(
  t: ExecutionContext,
  decoder: Decoder,
  {tasks, files}: {readonly tasks: string; readonly files: Readonly<Record<string, string>>},
): Promise<TaskResult[]> {
  const folder = await folderWith(t, files);
  const suite = parseSuite(`draws: 50\ntasks: [${tasks}]`, join(folder, 'suite.yaml'));
  const results: TaskResult[] = [];
  for await (const result of runSuite({decoder, tokenizer, config, suite})) results.push(result);
  return results;
}

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
  t.like(questions, {type: 'questions', count: 2});
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
