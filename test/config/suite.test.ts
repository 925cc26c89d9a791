import {resolve} from 'node:path';
import test from 'ava';
import {describeOptions, parseSuite, suiteJsonSchema} from '../../lib/config/index.js';

const parse = (text: string) => parseSuite(text, '/here/suite.yaml');

test('a suite is completed: defaults, and files from its folder', (t) => {
  const {tasks, draws, seed, overlap, bertscore, crossmapScore} = parse(`
tasks:
  - {type: perplexity, language: cs, files: [a.txt, sub/b.txt], limit: 10}
  - {type: translation, name: news, source: en, target: zh, file: news.tsv}
  - {type: alignment, source: en, target: cs, files: [a.en, a.cs]}
  - {type: choice, language: cs, file: c.jsonl, choicesField: options.list}
bertscore: {encoder: sub/encoder.mjs}
crossmapScore: {model: ../runs/full}
`);
  t.deepEqual([draws, seed, overlap], [1000, 0, 'refuse']);
  t.deepEqual(bertscore, {encoder: resolve('/here/sub/encoder.mjs'), idf: false});
  t.deepEqual(crossmapScore, {model: resolve('/runs/full'), idf: false});
  t.like(tasks[0], {
    type: 'perplexity',
    files: [resolve('/here/a.txt'), resolve('/here/sub/b.txt')],
    limit: 10,
  });
  t.like(tasks[1], {name: 'news', file: [resolve('/here/news.tsv')], metrics: ['bleu', 'chrf', 'chrf++']});
  t.like(tasks[2], {files: [resolve('/here/a.en'), resolve('/here/a.cs')]});
  t.like(tasks[3], {file: resolve('/here/c.jsonl'), contextField: 'context', choicesField: 'options.list'});
});

test('primary measures are those that some task measures', (t) => {
  const {primary} = parse(`
primary: [chrf++, lac]
tasks:
  - {type: translation, source: en, target: zh, file: news.tsv}
  - {type: alignment, source: en, target: cs, file: a.tsv}
`);
  t.deepEqual(primary, ['chrf++', 'lac']);
});

for (const [text, message] of [
  [
    'tasks: [{type: perplexity, language: cs, files: a.txt}]\nprimary: [bits-per-byte, p@1]',
    '/here/suite.yaml:2: primary[1] is p@1, which no task measures: the tasks measure bits-per-byte',
  ],
  [
    'tasks: [{type: perplexity, language: cs, files: a.txt}]\nprimary: [speed]',
    '/here/suite.yaml:2: primary[0] must be one of bits-per-byte, bleu, chrf, chrf++, bertscore, crossmap-score, lac, p@1, margin-error, acc, exact-match, f1; got "speed"',
  ],
  ['', '/here/suite.yaml:1: tasks is required: What is measured, in this order.'],
  ['- 1', '/here/suite.yaml:1: the suite must be a section: a map of options; got [1]'],
  [
    'tasks: [{type: translate, source: en, target: cs, file: a}]',
    '/here/suite.yaml:1: tasks[0].type must be one of perplexity, translation, translationChoice, alignment, choice, questions; got "translate"',
  ],
  [
    'tasks:\n  - {type: translation, source: en, target: en, file: a}',
    '/here/suite.yaml:2: tasks[0].target must be another language than source; both are en',
  ],
  [
    'tasks:\n  - {type: alignment, source: en, target: cs}',
    '/here/suite.yaml:2: tasks[0] must have files: [source file, target file], or file: one that holds both sides; it has neither',
  ],
  [
    'tasks:\n  - {type: perplexity, langauge: en, files: a}',
    '/here/suite.yaml:2: tasks[0].langauge is not an option; did you mean language?',
  ],
  [
    'tasks: [{type: choice, language: en, file: a, limit: 0}]',
    '/here/suite.yaml:1: tasks[0].limit must be a whole number, 1 or more; got 0',
  ],
  [
    'tasks:\n  - {type: translation, source: en, target: cs, file: a, metrics: [bertscore]}',
    '/here/suite.yaml:2: tasks[0].metrics has bertscore, for which bertscore.encoder must name a module',
  ],
  [
    'bertscore: {encoder: a, baselines: [{language: uk, precision: 0, recall: 0, f1: 0}]}\ntasks: [{type: questions, language: cs, file: a, metrics: [bertscore]}]',
    '/here/suite.yaml:2: tasks[0].metrics has bertscore of cs, for which bertscore.baselines has none',
  ],
  [
    'tasks: [{type: choice, language: en, file: a}]\noverlap: ignore',
    '/here/suite.yaml:2: overlap must be one of refuse, drop, allow; got "ignore"',
  ],
] as const)
  test(`refused: ${message}`, (t) => {
    const error = t.throws(() => parse(text), {code: 'ERR_CONFIG'});
    t.true(error.message.split('\n').includes(message), error.message);
  });

test('every option of a suite is described by a sentence', (t) => {
  const options = describeOptions(suiteJsonSchema());
  t.true(options.length > 20);
  for (const {path, description} of options) t.regex(description, /^[A-Z].*\.$/, path);
});
