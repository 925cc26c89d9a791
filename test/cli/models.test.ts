/** Models go out and come in again, by the commands. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {temporaryFolder} from '../formats/folder.js';
import {tinyYaml, writeCorpus} from '../train/tiny-run.js';
import {crossmap} from './crossmap.js';
import {told} from './told.js';

test('a run is exported, imported, used, and trained on with what import tells', async (t) => {
  const cwd = await temporaryFolder(t);
  await writeCorpus(cwd);
  await writeFile(join(cwd, 'tiny.yaml'), tinyYaml);
  const set = ['--set', 'training.steps=4', '--set', 'evaluation.pairs=0', '--set', 'evaluation.samples=0'];
  t.is((await crossmap(['train', 'tiny.yaml', ...set], {cwd})).code, 0);

  t.deepEqual(await crossmap(['export', 'runs/tiny', 'hf', '--max-shard-size', '40kB'], {cwd}), {
    code: 0,
    signal: null,
    stdout: 'exported runs/tiny/checkpoints/step-000004 to hf, float32\n',
    stderr: '',
  });
  const {weight_map: map} = JSON.parse(
    await readFile(join(cwd, 'hf/model.safetensors.index.json'), 'utf8'),
  ) as {
    weight_map: Record<string, string>;
  };
  t.is(map['model.norm.weight'], 'model-00003-of-00003.safetensors');

  const imported = await crossmap(['import', 'hf', 'imported'], {cwd});
  t.deepEqual([imported.code, imported.stderr], [0, '']);
  t.regex(imported.stdout, /^imported into .*imported: 28\.8 k parameters, float32, 2 layers, 320 tokens$/m);

  const said = (model: string) =>
    crossmap(['generate', model, '--language', 'en', '--temperature', '0', '--max-tokens', '8', 'house'], {
      cwd,
    });
  t.deepEqual(await said('imported'), await said('runs/tiny'));
  const evaluated = await crossmap(['eval', 'imported'], {cwd});
  t.is(evaluated.code, 1);
  t.regex(
    evaluated.stderr,
    /^error ERR_ARGUMENT: imported was imported and has no text of its own .* --suite\n$/,
  );
  await writeFile(join(cwd, 'suite.yaml'), 'tasks: [{type: perplexity, language: en, files: en.txt}]\n');
  const suite = await crossmap(['eval', 'imported', '--suite', 'suite.yaml'], {cwd});
  t.is(suite.code, 0);
  t.regex(suite.stdout, /perplexity/);

  const snippet = imported.stdout
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .join('\n');
  const [data] = tinyYaml.split('tokenizer:');
  t.true(data!.includes('monolingual'));
  await writeFile(join(cwd, 'on.yaml'), `${data}\n${snippet.replaceAll(/^ {2}/gm, '')}\n`);
  const on = ['--set', 'training.steps=2', '--set', 'training.warmupSteps=1', '--set', 'evaluation.pairs=0'];
  const trained = await crossmap(['train', 'on.yaml', ...on], {cwd});
  t.deepEqual([trained.code, trained.stderr], [0, '']);
  t.regex(trained.stdout, /^finished at step 2 /m);
});

for (const [title, args, code, message] of [
  [
    'a run that is not there',
    ['export', 'nothing', 'x'],
    1,
    /^error ERR_CHECKPOINT: nothing does not exist; give/,
  ],
  ['a format', ['export', 'nothing', 'x', '--format', 'onnx'], 2, /argument 'onnx' is invalid/],
  ['a dtype', ['export', 'nothing', 'x', '--dtype', 'int8'], 2, /argument 'int8' is invalid/],
  ['a size', ['export', 'nothing', 'x', '--max-shard-size', '5 apples'], 2, /size such as 500MB, 4GiB/],
  ['no size', ['export', 'nothing', 'x', '--max-shard-size', '0GB'], 2, /size such as 500MB, 4GiB/],
  ['no output', ['import', 'nothing'], 2, /missing required argument 'output'/],
  [
    'a folder that is not there',
    ['import', 'nothing', 'x'],
    1,
    /^error ERR_FORMAT: nothing does not exist; the/,
  ],
  ['a context', ['import', 'nothing', 'x', '--context', '2'], 2, /'2' is invalid/],
  ['an empty language', ['import', 'nothing', 'x', '--languages', 'en,,cs'], 2, /en,cs/],
] as const)
  test(`what is wrong is told: ${title}`, async (t) => {
    const {code: got, stdout, stderr} = await told(args);
    t.deepEqual([got, stdout], [code, '']);
    t.regex(stderr, message);
  });
