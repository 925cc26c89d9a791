import test from 'ava';
import {
  describeOptions,
  parseConfig,
  starterConfig,
  starterSizes,
  type StarterOptions,
} from '../../lib/config/index.js';
import {commonOptions} from '../../lib/config/starter.js';

const monolingual = [
  {language: 'en', files: 'en.txt'},
  {language: 'cs', files: ['cs-1.txt', 'cs-2.txt']},
];
const parallel = [{source: 'en', target: 'cs', file: 'en-cs.tsv'}];

const choices: Readonly<Record<string, StarterOptions>> = {
  'text and pairs': {monolingual, parallel},
  'text alone': {monolingual},
  'one language': {monolingual: monolingual.slice(0, 1)},
  'pairs alone': {parallel},
  'pairs of two files': {monolingual, parallel: [{source: 'en', target: 'cs', files: ['a.en', 'a.cs']}]},
};
const sizes = ['tiny', 'small', 'base'] as const;

/** A line that is an option at its default: `  #seed: 1`, or an item of a list. */
const isOption = (line: string): boolean => /^\s*#[a-zA-Z]/.test(line);
const inForce = (line: string): string => line.replace(/^(\s*)#/, '$1');

for (const [name, options] of Object.entries(choices))
  for (const all of [false, true]) {
    const text = starterConfig({...options, all});
    const title = `${name}${all ? ', every option' : ''}`;

    test(`a starter of ${title} is a configuration with that text`, (t) => {
      const {data, objectives} = parseConfig(text, {file: 'train.yaml'});
      t.is(data.monolingual?.length, options.monolingual?.length);
      t.is(data.parallel?.length, options.parallel?.length);
      t.is(objectives.mapping.weight, options.parallel ? 1 : 0);
    });

    test(`each line of ${title} can be put in force, alone and with all others`, (t) => {
      const lines = text.split('\n');
      const commented = lines.flatMap((line, i) => (isOption(line) ? [i] : []));
      t.true(commented.length >= (all ? 60 : 20), `${commented.length}`);
      for (const i of commented)
        t.notThrows(() => parseConfig(lines.with(i, inForce(lines[i]!)).join('\n')), lines[i]);
      t.notThrows(() => parseConfig(lines.map((line) => (isOption(line) ? inForce(line) : line)).join('\n')));
    });

    test(`what stands as default in ${title} is the default`, (t) => {
      const plain = parseConfig(text, {file: 'train.yaml'});
      const lines = text.split('\n');
      const examples =
        /^\s*#(format|field|fields|columns|name|file|from|files|ropeScaling|slidingWindow|parallel|monolingual):/;
      const forced = lines.map((line) => (isOption(line) && !examples.test(line) ? inForce(line) : line));
      t.deepEqual(parseConfig(forced.join('\n'), {file: 'train.yaml'}), plain);
    });
  }

for (const size of sizes)
  test(`size ${size} is a configuration, with any text`, (t) => {
    for (const options of Object.values(choices))
      t.notThrows(() => parseConfig(starterConfig({...options, size}), {file: 'x.yaml'}));
  });

test('sizes differ in what they say', (t) => {
  t.deepEqual(Object.keys(starterSizes), [...sizes]);
  t.is(new Set(sizes.map((size) => starterConfig({monolingual, size}))).size, 3);
});

test('the sizes have as many parameters as they are said to have', (t) => {
  const millions = sizes.map((size) => {
    const {model, tokenizer} = parseConfig(starterConfig({monolingual, size}));
    const {features, hiddenFeatures, layers} = model;
    const block = 4 * features ** 2 + 3 * features * hiddenFeatures + 2 * features;
    return (tokenizer.vocabSize * features + layers * block + features) / 1e6;
  });
  t.deepEqual(
    sizes.map((size) => Number(/about (\d+) million/.exec(starterSizes[size])![1])),
    millions.map((value) => Number(value.toPrecision(2))).map((value) => Math.round(value)),
  );
});

test('with all, every option of a configuration is written but those that cannot stand alone', (t) => {
  const text = starterConfig({monolingual, parallel, all: true});
  const missing = describeOptions()
    .map(({path}) => path)
    .filter((path) => !new RegExp(`^\\s*(- |#)?${path.split('.').at(-1)!}: `, 'm').test(text));
  const insideExamples = /^model\.(ropeScaling|slidingWindow)\.|^data\.stages\[\]\./;
  t.deepEqual(
    missing.filter((path) => !insideExamples.test(path)),
    ['data.parallel[].files'].filter((path) => missing.includes(path)),
  );
});

test('the options that are written without all exist, and each has its meaning above it', (t) => {
  const text = starterConfig({monolingual, parallel});
  const paths = describeOptions().map(({path}) => path);
  for (const option of commonOptions)
    t.true(
      paths.some((path) => path === option || path.startsWith(`${option}[]`)),
      option,
    );
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) if (isOption(line)) t.regex(lines[i - 1]!, /^\s*# \S/, line);
});

test('text that makes no configuration is refused with what is wrong', (t) => {
  t.throws(() => starterConfig({parallel: [{source: 'en', target: 'en', file: 'x.tsv'}]}), {
    code: 'ERR_CONFIG',
    message: /target must be another language than source; both are en/,
  });
});

test('a configuration in another folder says where its default output is', (t) => {
  t.true(starterConfig({monolingual, file: 'deep/er/mine.yaml'}).includes('\n#output: ../../runs/mine\n'));
});
