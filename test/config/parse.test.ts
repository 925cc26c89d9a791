import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {configLanguages, loadConfig, parseConfig} from '../../lib/config/index.js';

const corpora = `data:
  monolingual:
    - {language: cs, files: cs.txt}
    - {language: en, files: [en-1.txt, en-2.txt]}
  parallel:
    - {source: en, target: cs, file: en-cs.tsv}
`;
const parse = (rest = '', set: readonly string[] = []) =>
  parseConfig(corpora + rest, {file: 'configs/train.yaml', currentFolder: '/here', set});

test('defaults that depend on other options are filled in', (t) => {
  const config = parse('model: {layers: 5, features: 96, heads: 4}\ntraining: {steps: 250}\n');
  t.is(config.name, 'train');
  t.is(config.output, resolve('/here/runs/train'));
  t.like(config.model, {kvHeads: 4, headDim: 24, hiddenFeatures: 256});
  t.deepEqual(config.objectives.contrastive.layer, [3]);
  t.is(config.training.warmupSteps, 5);
});

for (const [recipe, next, mapping, contrastive] of [
  ['full', 1, 1, 0.1],
  ['paper', 1, 1, 0],
  ['mono', 1, 0, 0],
] as const)
  test(`recipe ${recipe} weighs ${next}, ${mapping}, ${contrastive} and is gone from the result`, (t) => {
    const {objectives} = parse(`objectives: {recipe: ${recipe}}\n`);
    t.is(objectives.next.weight, next);
    t.is(objectives.mapping.weight, mapping);
    t.is(objectives.contrastive.weight, contrastive);
    t.false('recipe' in objectives);
  });

test('a weight that is given beats the recipe', (t) => {
  const {objectives} = parse('objectives: {recipe: mono, contrastive: {weight: 0.3}}\n');
  t.is(objectives.contrastive.weight, 0.3);
  t.is(objectives.mapping.weight, 0);
});

test('the full recipe is the default', (t) => {
  t.is(parse().objectives.contrastive.weight, 0.1);
});

test('a configuration written as JSON reads back equal', (t) => {
  const config =
    parse(`model: {ropeScaling: {type: llama3, factor: 8, originalContext: 256}, slidingWindow: {size: 9}}
objectives: {recipe: paper, contrastive: {layer: [1, 2], threshold: 0.1}}
training: {clipNorm: off}
`);
  t.deepEqual(
    parseConfig(JSON.stringify(config), {file: 'elsewhere/config.json', currentFolder: '/other'}),
    config,
  );
});

test('files start from data.root, which starts from the folder of the file', (t) => {
  const config = parse('tokenizer: {file: tokenizer.json}\n', ['data.root=corpora']);
  t.is(config.data.root, resolve('/here/corpora'));
  t.deepEqual(config.data.monolingual?.[1]?.files, [
    resolve('/here/corpora/en-1.txt'),
    resolve('/here/corpora/en-2.txt'),
  ]);
  t.deepEqual(parse('output: out\n').data.parallel?.[0]?.file, [resolve('/here/configs/en-cs.tsv')]);
  t.is(parse('output: out\n').output, resolve('/here/configs/out'));
  t.is(config.tokenizer.file, resolve('/here/corpora/tokenizer.json'));
});

test('files of overrides start from the current folder', (t) => {
  const config = parse('', ['output=out', 'data.parallel[0].file=x.tsv']);
  t.is(config.output, resolve('/here/out'));
  t.deepEqual(config.data.parallel?.[0]?.file, [resolve('/here/x.tsv')]);
});

test('overrides are YAML, create sections, reach into lists and restore defaults', (t) => {
  const config = parse('model: {layers: 4}\n', [
    'model.layers=',
    'model.slidingWindow={size: 16, layers: [2]}',
    'data.monolingual.2={language: uk, files: uk.txt}',
    'training.clipNorm=off',
    'model.layers=3',
    'model.heads=',
  ]);
  t.is(config.model.layers, 3);
  t.is(config.model.heads, 6);
  t.deepEqual(config.model.slidingWindow, {size: 16, layers: [2]});
  t.is(config.training.clipNorm, 'off');
  t.deepEqual(configLanguages(config), ['cs', 'en', 'uk']);
});

test('an option without a value is an option that was not given', (t) => {
  t.is(parse('model:\ntraining:\n  steps:\n').training.steps, 1000);
});

test('anchors and merged maps are read', (t) => {
  const config = parse('model: &small {layers: 2}\nevaluation: {<<: {samples: 7}}\n');
  t.is(config.model.layers, 2);
  t.is(config.evaluation.samples, 7);
});

async function withFile(t: ExecutionContext, body: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'crossmap-config-'));
  t.teardown(() => rm(folder, {recursive: true}));
  await body(join(folder, 'tiny.yaml'));
}

test('loadConfig reads a file and resolves against its folder', (t) =>
  withFile(t, async (file) => {
    await writeFile(file, corpora);
    const config = await loadConfig(file, {set: ['seed=7']});
    t.is(config.seed, 7);
    t.is(config.name, 'tiny');
    t.deepEqual(config.data.monolingual?.[0]?.files, [join(file, '..', 'cs.txt')]);
  }));

test('a configuration that is not there is ERR_IO and names the file', (t) =>
  withFile(t, async (file) => {
    const error = await t.throwsAsync(loadConfig(file), {code: 'ERR_IO'});
    t.true(error?.message.startsWith(`configuration ${file} cannot be read: ENOENT`));
  }));
