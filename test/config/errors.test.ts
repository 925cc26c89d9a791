import test from 'ava';
import {parseConfig} from '../../lib/config/index.js';

const corpora = `data:
  monolingual:
    - {language: cs, files: cs.txt}
    - {language: en, files: en.txt}
  parallel:
    - {source: en, target: cs, file: en-cs.tsv}
`;

/** The message of the error that `text` after the corpora gives: line 7 is the first line of `text`. */
function mistakes(text: string, set: readonly string[] = [], head = corpora): string[] {
  try {
    parseConfig(head + text, {file: 'train.yaml', set});
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_CONFIG')
      return error.message.split('\n');
    throw error;
  }
  return [];
}

/** One mistake each: text, then the whole message. */
const single: readonly (readonly [string, string])[] = [
  [
    'objectives:\n  mapping:\n    wieght: 1',
    'train.yaml:9: objectives.mapping.wieght is not an option; did you mean weight?',
  ],
  ['learning_rate: 1', 'train.yaml:7: learning_rate is not an option; did you mean training.learningRate?'],
  [
    'training:\n  zebra: 1\n  steps: 4',
    'train.yaml:8: training.zebra is not an option; the options here are from, steps, tokensPerBatch, accumulation, learningRate, warmupSteps, schedule, minLearningRateRatio, decayShare, weightDecay, beta1, beta2, eps, clipNorm, explodingNorm, gradientNormsEvery, activationCheckpointing, graphs, checkpointEvery, keepCheckpoints',
  ],
  ['model:\n  heads: 2.5', 'train.yaml:8: model.heads must be a whole number, 1 or more; got 2.5'],
  [
    'device: cudo',
    'train.yaml:7: device must be one of auto, cpu, cuda, simt; got "cudo"; did you mean cuda?',
  ],
  ['model: 3', 'train.yaml:7: model must be a section: a map of options; got 3'],
  ['model:\n  normEps: 0', 'train.yaml:8: model.normEps must be a number above 0; got 0'],
  ['model:\n  tiedHead: yes', 'train.yaml:8: model.tiedHead must be true or false; got "yes"'],
  [
    'training: {beta1: 1}',
    'train.yaml:7: training.beta1 must be a number from 0 to 1, 1 itself left out; got 1',
  ],
  [
    'objectives:\n  contrastive:\n    threshold: often',
    'train.yaml:9: objectives.contrastive.threshold must be off, or a number, 0 or more; got "often"',
  ],
  [
    'objectives: {contrastive: {layer: []}}',
    'train.yaml:7: objectives.contrastive.layer must be a list of layers with at least one item; got []',
  ],
  [
    'model:\n  ropeScaling:\n    type: yarm\n    factor: 2',
    'train.yaml:9: model.ropeScaling.type must be one of linear, llama3, yarn; got "yarm"',
  ],
  [
    'model:\n  ropeScaling: {type: linear}',
    'train.yaml:8: model.ropeScaling.factor is required: How many times longer than the original context.',
  ],
  ['model: {layers: 2}\nmodel: {layers: 3}', 'train.yaml:8: is not valid YAML: Map keys must be unique'],
  ['threads: nan', 'train.yaml:7: threads must be auto, or a whole number, 1 or more; got "nan"'],
  ['seed: .nan', 'train.yaml:7: seed must be a whole number, 0 or more; got NaN'],
  [
    'evaluation:\n  bootstrap: 0',
    'train.yaml:8: evaluation.bootstrap must be a whole number, 1 or more; got 0',
  ],
  [
    'name: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]',
    'train.yaml:7: name must be text that is not empty; got ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...',
  ],
  // Options that must fit one another.
  ['model: {heads: 6, kvHeads: 4}', 'train.yaml:7: model.kvHeads must divide model.heads (6); got 4'],
  [
    'model: {features: 100, heads: 6}',
    'train.yaml:7: model.features must be a multiple of model.heads (6), or model.headDim be given; got 100',
  ],
  [
    'model:\n  headDim: 33',
    'train.yaml:8: model.headDim must be even, for rotary embedding turns features in twos; got 33',
  ],
  ['model: {headDim: 258}', 'train.yaml:7: model.headDim must be 256 or less; got 258'],
  [
    'model: {slidingWindow: {size: 8, layers: [7]}}',
    'train.yaml:7: model.slidingWindow.layers must be 1 to model.layers (6); got 7',
  ],
  [
    'model: {ropeScaling: {type: llama3, factor: 2, originalContext: 64, lowFrequencyFactor: 4}}',
    'train.yaml:7: model.ropeScaling.highFrequencyFactor must be above lowFrequencyFactor (4); got 4',
  ],
  [
    'model: {ropeScaling: {type: yarn, factor: 2, originalContext: 64, betaFast: 1}}',
    'train.yaml:7: model.ropeScaling.betaFast must be above betaSlow (1); got 1',
  ],
  [
    'objectives: {contrastive: {layer: 7}}',
    'train.yaml:7: objectives.contrastive.layer must be 1 to model.layers (6); got 7',
  ],
  [
    'objectives: {recipe: mono, next: {weight: 0}}',
    'train.yaml:7: objectives: one weight at least must be above 0; all are 0',
  ],
  [
    'objectives: {mapping: {prefix: true, sourceWeight: 0.5}}',
    'train.yaml:7: objectives.mapping.sourceWeight must be 0 with objectives.mapping.prefix, where every source token sees the one it would predict; got 0.5',
  ],
  [
    'training: {steps: 9, warmupSteps: 9}',
    'train.yaml:7: training.warmupSteps must be below training.steps (9); got 9',
  ],
  [
    'training: {steps: 10, warmupSteps: 9, schedule: wsd}',
    'train.yaml:7: training.decayShare leaves no room for the warm-up: 9 + 0.2 x 10 exceeds training.steps (10)',
  ],
  [
    'training: {tokensPerBatch: 511}',
    'train.yaml:7: training.tokensPerBatch must be model.context (512) or more, so that the longest segment fits; got 511',
  ],
  [
    'training: {clipNorm: 5, explodingNorm: 5}',
    'train.yaml:7: training.explodingNorm must be above training.clipNorm (5); got 5',
  ],
  [
    'evaluation: {pairs: 7}',
    'train.yaml:7: evaluation.pairs must be 0, or 8 or more, for alignment is not defined on fewer; got 7',
  ],
];
for (const [text, message] of single)
  test(`refused: ${message}`, (t) => {
    t.deepEqual(mistakes(text), [message]);
  });

/** The same for the section `data`, which is the whole text. */
const dataMistakes: readonly (readonly [string, string])[] = [
  ['', 'train.yaml:1: data is required: Which text the run learns from.'],
  [
    'data: {alpha: 1}',
    'train.yaml:1: data must have monolingual text, parallel text or both; it has neither',
  ],
  ['- 1', 'train.yaml:1: the configuration must be a section: a map of options; got [1]'],
  [
    'data: *nowhere',
    'train.yaml:1: is not valid YAML: Unresolved alias (the anchor must be set before the alias): nowhere',
  ],
  [
    'data:\n  monolingual:\n    - {language: cs}',
    'train.yaml:3: data.monolingual[0].files is required: Text files, or patterns such as `text/*.txt.gz`; plain, gzip or Zstandard: one sentence a line, a blank line between documents. Or JSON lines or Parquet with a document in each record.',
  ],
  [
    'data:\n  monolingual:\n    - {language: 3, files: a}',
    'train.yaml:3: data.monolingual[0].language must be a language code such as cs, zh or pt-BR; got 3',
  ],
  [
    'data: {monolingual: []}',
    'train.yaml:1: data.monolingual must be a list of corpora with at least one item; got []',
  ],
];
for (const [text, message] of dataMistakes)
  test(`refused: ${message}`, (t) => {
    t.deepEqual(mistakes(text, [], ''), [message]);
  });

/** The same for a second parallel corpus. */
const corpusMistakes: readonly (readonly [string, string])[] = [
  [
    '{source: cs, target: cs, file: a}',
    'train.yaml:7: data.parallel[1].target must be another language than source; both are cs',
  ],
  [
    '{source: cs, target: en}',
    'train.yaml:7: data.parallel[1] must have files: [source file, target file], or file: one that holds both sides; it has neither',
  ],
  [
    '{source: cs, target: en, file: a, files: [a, b]}',
    'train.yaml:7: data.parallel[1] must have files or file; it has both',
  ],
  [
    '{source: cs, target: en, files: [a]}',
    'train.yaml:7: data.parallel[1].files must be two files with matching lines: [source file, target file]; got ["a"]',
  ],
  [
    '{source: cs, target: en, files: [a, b], columns: [0, 1]}',
    'train.yaml:7: data.parallel[1].columns belongs to file; with files it has no meaning',
  ],
  [
    '{source: cs, target: en, files: [a, b], format: tmx}',
    'train.yaml:7: data.parallel[1].format belongs to file; with files it has no meaning',
  ],
  [
    '{source: cs, target: en, files: ["-", b]}',
    'train.yaml:5: data.parallel: standard input (-) can be file, which holds both sides, but none of two files',
  ],
  [
    '{source: cs, target: en, file: ["-", "-"]}',
    'train.yaml:1: data can name standard input (-) once; it does 2 times',
  ],
  [
    '{source: cs, target: en, file: a, format: xliff}',
    'train.yaml:7: data.parallel[1].format must be one of tsv, jsonl, parquet, tmx, po; got "xliff"',
  ],
  [
    '{source: cs, target: en, file: a.jsonl, fields: [text, text]}',
    'train.yaml:7: data.parallel[1].fields must be two different fields; both are text',
  ],
  [
    '{source: cs, target: en, file: a, columns: [1, 1]}',
    'train.yaml:7: data.parallel[1].columns must be two different columns; both are 1',
  ],
  [
    '{source: cz, target: en, file: a}',
    'train.yaml:7: data.parallel[1].source is cz, a language without text in data.monolingual (cs, en); did you mean cs?',
  ],
];
for (const [corpus, message] of corpusMistakes)
  test(`refused: ${message}`, (t) => {
    t.deepEqual(mistakes(`    - ${corpus}\n`), [message]);
  });

test('pairs are demanded by the objectives that need them', (t) => {
  const alone = 'data: {monolingual: [{language: cs, files: a}]}\n';
  t.deepEqual(mistakes('', [], alone), [
    'train.yaml:1: objectives.contrastive.weight is 0.1, which needs sentence pairs: give data.parallel, or objectives.recipe: mono',
    'train.yaml:1: objectives.mapping.weight is 1, which needs sentence pairs: give data.parallel, or objectives.recipe: mono',
  ]);
  t.deepEqual(mistakes('objectives: {recipe: mono}', [], alone), []);
});

test('the share and the schedule of mapping must fit the run', (t) => {
  t.deepEqual(mistakes('', ['data.mappingShare=0']), [
    '--set data.mappingShare: data.mappingShare must be above 0, for objectives.mapping.weight is 1; got 0',
  ]);
  t.deepEqual(mistakes('', ['data.mappingSchedule=[[0, 0.1], [1000, 1]]']), [
    '--set data.mappingSchedule: data.mappingSchedule must have rising steps below training.steps (1000); got 1000 after 0',
  ]);
  t.deepEqual(mistakes('', ['data.mappingSchedule=[[0, 0.1], [999, 1]]']), []);
});

test('stages have a source of pairs each, and all of training', (t) => {
  const named = ['data.parallel[0].name=sentences'];
  const stages = (text: string): string[] => mistakes('', [...named, `data.stages=${text}`]);
  t.deepEqual(stages('[{share: 1, pairs: sentences}]'), []);
  t.deepEqual(stages('[{share: 0.5, pairs: sentences}]'), [
    '--set data.stages: data.stages must have shares that sum to 1; they sum to 0.5',
  ]);
  t.deepEqual(stages('[{share: 1, pairs: sentence}]'), [
    '--set data.parallel.0.name: data.parallel[0].name is sentences, which no stage of data.stages uses',
    '--set data.stages: data.stages[0].pairs is sentence, which is no name in data.parallel; there are sentences; did you mean sentences?',
  ]);
  t.deepEqual(stages('[{share: 0.9999, pairs: sentences}, {share: 0.0001, pairs: sentences}]'), [
    '--set data.stages: data.stages[1].pairs is sentences, which has a stage already; a source of pairs has one stage',
    '--set data.stages: data.stages[1].share is less than one of the 1000 steps of training (training.steps)',
  ]);
  t.deepEqual(mistakes('', ['data.stages=[{share: 1, pairs: sentences}]']), [
    '--set data.stages: data.stages[0].pairs is sentences, which is no name in data.parallel; none has a name',
    'train.yaml:6: data.parallel[0] must have a name, for data.stages says when each source of pairs is used',
  ]);
  t.deepEqual(mistakes('', ['data.parallel[0].name=a/b']), [
    '--set data.parallel.0.name: data.parallel[0].name must be a name of letters, digits, - and _; got "a/b"',
  ]);
});

test('all mistakes are told, in the order of the file', (t) => {
  t.deepEqual(
    mistakes('model:\n  haeds: 3\n  layers: -1\nobjectives:\n  mapping: {wieght: 1}\nseed: x\n', [
      'dtype=int8',
    ]),
    [
      '--set dtype: dtype must be one of float32, bfloat16, float16; got "int8"',
      'train.yaml:8: model.haeds is not an option; did you mean heads?',
      'train.yaml:9: model.layers must be a whole number, 1 or more; got -1',
      'train.yaml:11: objectives.mapping.wieght is not an option; did you mean weight?',
      'train.yaml:12: seed must be a whole number, 0 or more; got "x"',
    ],
  );
});

const overrideMistakes: readonly (readonly [string, string])[] = [
  ['seed', '--set seed: must be name=value, with dots between the parts of the name: --set model.layers=2'],
  [
    'a..b=1',
    '--set a..b=1: must be name=value, with dots between the parts of the name: --set model.layers=2',
  ],
  ['seed=[', '--set seed: the value is not valid YAML: Flow sequence must end with a ]'],
  ['model.layer=2', '--set model.layer: model.layer is not an option; did you mean layers?'],
  [
    'data.parallel.x.file=a',
    '--set data.parallel.x.file: data.parallel is a list: its items are numbered from 0, and 1 adds one',
  ],
  [
    'data.monolingual.2.files=uk.txt',
    '--set data.monolingual.2.files: data.monolingual[2].language is required: Language of the text; also the name of its control token.',
  ],
  [
    'model.__proto__.layers=2',
    '--set model.__proto__.layers: model.__proto__ is not an option; the options here are layers, features, heads, kvHeads, headDim, hiddenFeatures, context, ropeTheta, ropeScaling, tiedHead, normEps, slidingWindow',
  ],
  [
    'model.heads=5',
    '--set model.heads: model.features must be a multiple of model.heads (5), or model.headDim be given; got 384',
  ],
];
for (const [override, message] of overrideMistakes)
  test(`--set ${override} is refused: ${message}`, (t) => {
    t.deepEqual(mistakes('', [override]), [message]);
  });

test('a mistake below an alias points at the text it stands for', (t) => {
  t.deepEqual(mistakes('model: &shape\n  layers: 0\ntraining: *shape\n'), [
    'train.yaml:8: model.layers must be a whole number, 1 or more; got 0',
    'train.yaml:8: training.layers is not an option; did you mean model.layers?',
  ]);
});

test('aliases that explode are refused, not expanded', (t) => {
  const bomb = [
    'a: &a [1,1,1,1,1,1,1,1,1]',
    ...'bcdefghi'.split('').map((name, index) => {
      const before = 'abcdefgh'[index];
      return `${name}: &${name} [${Array.from({length: 9}, () => `*${before}`).join(',')}]`;
    }),
  ].join('\n');
  t.regex(mistakes(bomb, [], '')[0] ?? '', /^train\.yaml:1: is not valid YAML: Excessive alias count/);
});
