import {existsSync} from 'node:fs';
import {mkdir, open, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {parseConfig, type Config} from '../../lib/config/index.js';
import {zeros, tensor, type Device, type Tensor} from '../../lib/tensor/index.js';
import {openCheckpoint, saveCheckpoint, type CheckpointContent} from '../../lib/train/checkpoint.js';
import {findCheckpoint, listCheckpoints} from '../../lib/train/checkpoint-list.js';
import {configDifferences} from '../../lib/train/fingerprint.js';
import {temporaryFolder} from '../formats/folder.js';
import {testDevices} from '../support/ops.js';

const config: Config = parseConfig(
  'data: {monolingual: [{language: cs, files: cs.txt}]}\nobjectives: {recipe: mono}\nseed: 7',
);

interface Saved {
  /** The folder of checkpoints. */
  readonly folder: string;
  readonly content: CheckpointContent;
}

async function prepared(t: ExecutionContext, device: Device = 'cpu'): Promise<Saved> {
  const root = await temporaryFolder(t);
  const tokenizerFile = join(root, 'tokenizer.json');
  await writeFile(tokenizerFile, '{"a": "tokenizer"}');
  const content: CheckpointContent = {
    step: 100,
    config,
    learningRate: 1e-3,
    lastEvaluation: 50,
    dataIdentity: 'abc',
    position: {version: 1, taken: {'text:cs': 3}},
    tokenizerFile,
    weights: new Map([
      [
        'embed',
        tensor(
          [
            [1.5, -2],
            [0.25, 1e-30],
          ],
          {device},
        ),
      ],
      ['norm', tensor([1, 2, 3], {dtype: 'bfloat16', device})],
      ['half', tensor([0.5], {dtype: 'float16', device})],
      ['scalar', tensor(2, {device})],
    ]),
    optimizer: new Map([
      [
        'firstMoment.embed',
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          {device},
        ),
      ],
    ]),
  };
  return {folder: join(root, 'run', 'checkpoints'), content};
}

const emptyLike = (tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map([...tensors].map(([name, {shape, dtype, device}]) => [name, zeros(shape, {dtype, device})]));

for (const device of testDevices)
  test(`${device} what is saved comes back, in every dtype`, async (t) => {
    const {folder, content} = await prepared(t, device);
    const path = await saveCheckpoint(folder, content, {keep: 2});
    t.is(path, join(folder, 'step-000100'));
    t.deepEqual((await readdir(path)).sort(), [
      'config.json',
      'model.safetensors',
      'optimizer.safetensors',
      'state.json',
      'tokenizer.json',
    ]);
    const checkpoint = await openCheckpoint(path);
    t.like(checkpoint, {path, step: 100, lastEvaluation: 50, dataIdentity: 'abc'});
    await checkpoint.readPosition((position) => t.deepEqual(position, content.position));
    t.deepEqual(checkpoint.config, config);
    t.is(await readFile(checkpoint.tokenizerFile, 'utf8'), '{"a": "tokenizer"}');
    const [weights, optimizer] = [emptyLike(content.weights), emptyLike(content.optimizer)];
    await checkpoint.readWeights(weights);
    await checkpoint.readOptimizer(optimizer);
    for (const [name, saved] of [...content.weights, ...content.optimizer])
      t.deepEqual(await (weights.get(name) ?? optimizer.get(name))!.data(), await saved.data(), name);
  });

test('state.json tells the step, the seed, the version and where the data stands', async (t) => {
  const {folder, content} = await prepared(t);
  const path = await saveCheckpoint(folder, content, {keep: 2});
  t.like(JSON.parse(await readFile(join(path, 'state.json'), 'utf8')), {
    version: 1,
    step: 100,
    seed: 7,
    learningRate: 1e-3,
    position: content.position,
  });
});

test('the newest checkpoints are kept, the others removed', async (t) => {
  const {folder, content} = await prepared(t);
  for (const step of [5, 10, 1_000_000, 15]) await saveCheckpoint(folder, {...content, step}, {keep: 2});
  t.deepEqual(
    (await listCheckpoints(folder)).map(({step}) => step),
    [15, 1_000_000],
  );
  t.deepEqual((await readdir(folder)).sort(), ['step-000015', 'step-1000000']);
});

test('a failure while saving removes nothing and leaves no half checkpoint', async (t) => {
  const {folder, content} = await prepared(t);
  await saveCheckpoint(folder, content, {keep: 1});
  const next = {...content, step: 200, tokenizerFile: join(folder, 'missing.json')};
  await t.throwsAsync(saveCheckpoint(folder, next, {keep: 1}), {code: 'ERR_IO'});
  t.deepEqual(await readdir(folder), ['step-000100']);
  t.is((await openCheckpoint(join(folder, 'step-000100'))).step, 100);
});

test('a disk that takes no more is an error, and the checkpoint before stays', async (t) => {
  const {folder, content} = await prepared(t);
  await saveCheckpoint(folder, content, {keep: 1});
  const full = join(folder, '..', 'full');
  await writeFile(full, '');
  await t.throwsAsync(saveCheckpoint(join(full, 'checkpoints'), content, {keep: 1}), {
    code: 'ERR_IO',
    message: /cannot write .*step-000100/,
  });
  t.is((await openCheckpoint(join(folder, 'step-000100'))).step, 100);
});

const whatToDo = 'without the folder step-000100 an earlier checkpoint is taken';

for (const [title, damage, message] of [
  [
    'a missing file',
    (path: string) => rm(join(path, 'optimizer.safetensors')),
    'optimizer.safetensors is missing',
  ],
  ['a missing state', (path: string) => rm(join(path, 'state.json')), 'state.json is missing'],
  [
    'a file cut short',
    async (path: string) => {
      const file = await open(join(path, 'model.safetensors'), 'r+');
      const {size} = await file.stat();
      await file.truncate(size - 3);
      await file.close();
    },
    /model\.safetensors has \d+ bytes, where \d+ were written/,
  ],
  [
    'a flipped bit',
    async (path: string) => {
      const bytes = await readFile(join(path, 'model.safetensors'));
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(join(path, 'model.safetensors'), bytes);
    },
    'model.safetensors is not what was written: its hash differs',
  ],
  [
    'a state that is not JSON',
    (path: string) => writeFile(join(path, 'state.json'), '{"version": 1,'),
    'state.json is not JSON',
  ],
  [
    'a state of another version',
    async (path: string) => {
      const state = JSON.parse(await readFile(join(path, 'state.json'), 'utf8')) as object;
      await writeFile(join(path, 'state.json'), JSON.stringify({...state, version: 2}));
    },
    'state.json: version must be 1: the checkpoint comes from another version of crossmap',
  ],
] as const)
  test(`${title} is found when a checkpoint is opened`, async (t) => {
    const {folder, content} = await prepared(t);
    const path = await saveCheckpoint(folder, content, {keep: 2});
    await damage(path);
    const error = await t.throwsAsync(openCheckpoint(path), {code: 'ERR_CHECKPOINT'});
    const start = `checkpoint ${path} cannot be used: `;
    t.true(error.message.startsWith(start) && error.message.endsWith(`; ${whatToDo}`), error.message);
    const what = error.message.slice(start.length, -whatToDo.length - 2);
    if (typeof message === 'string') t.is(what, message);
    else t.regex(what, message);
  });

test('tensors that are missing, left over or of another shape or dtype are named', async (t) => {
  const {folder, content} = await prepared(t);
  const checkpoint = await openCheckpoint(await saveCheckpoint(folder, content, {keep: 2}));
  const weights = emptyLike(content.weights);
  weights.set('embed', zeros([2, 3]));
  weights.set('norm', zeros([3]));
  weights.set('head', zeros([2, 2]));
  weights.delete('scalar');
  await t.throwsAsync(checkpoint.readWeights(weights), {
    code: 'ERR_CHECKPOINT',
    message:
      `checkpoint ${checkpoint.path}: model.safetensors does not fit the model: ` +
      'embed is float32 [2, 2], where the model has float32 [2, 3]; ' +
      'norm is bfloat16 [3], where the model has float32 [3]; head is missing; and 1 more',
  });
  weights.delete('embed');
  weights.delete('norm');
  weights.delete('head');
  await t.throwsAsync(checkpoint.readWeights(weights), {
    message: /embed has no place in the model; scalar has no place in the model; norm has no place/,
  });
});

test('a run, its checkpoints and one checkpoint all lead to a checkpoint', async (t) => {
  const {folder, content} = await prepared(t);
  const run = join(folder, '..');
  await t.throwsAsync(findCheckpoint(run), {
    code: 'ERR_CHECKPOINT',
    message: `${run} does not exist; give the output folder of a run, or one of its checkpoints`,
  });
  await mkdir(run);
  await t.throwsAsync(findCheckpoint(run), {code: 'ERR_CHECKPOINT', message: /^.* has no checkpoint; give/});
  for (const step of [1, 2]) await saveCheckpoint(folder, {...content, step}, {keep: 2});
  const newest = join(folder, 'step-000002');
  t.is(await findCheckpoint(run), newest);
  t.is(await findCheckpoint(folder), newest);
  t.is(await findCheckpoint(join(folder, 'step-000001')), join(folder, 'step-000001'));
});

test('a model can be used without the optimizer', async (t) => {
  const {folder, content} = await prepared(t);
  const path = await saveCheckpoint(folder, content, {keep: 2});
  await rm(join(path, 'optimizer.safetensors'));
  const checkpoint = await openCheckpoint(path, {use: 'model'});
  await t.notThrowsAsync(checkpoint.readWeights(emptyLike(content.weights)));
});

test('a checkpoint can be moved: nothing in it depends on its place', async (t) => {
  const {folder, content} = await prepared(t);
  const path = await saveCheckpoint(folder, content, {keep: 2});
  const moved = join(folder, '..', '..', 'moved');
  await rename(path, moved);
  t.is((await openCheckpoint(await findCheckpoint(moved))).step, 100);
  t.false(existsSync(path));
});

test('differences of configurations name the option and both values', (t) => {
  const other = parseConfig(
    'data: {monolingual: [{language: cs, files: [cs.txt, b.txt]}]}\nobjectives: {recipe: mono}\n' +
      'seed: 7\ntraining: {steps: 5, warmupSteps: 0}\nmodel: {slidingWindow: {size: 4, layers: [1]}}',
  );
  t.deepEqual(
    configDifferences(config, other).map(({path, before, after}) => `${path}: ${before} -> ${after}`),
    [
      `data.monolingual[0].files[1]: not set -> ${JSON.stringify(join(process.cwd(), 'b.txt'))}`,
      'model.slidingWindow.layers[0]: not set -> 1',
      'model.slidingWindow.size: not set -> 4',
      'training.steps: 1000 -> 5',
      'training.warmupSteps: 20 -> 0',
    ],
  );
  t.deepEqual(configDifferences(config, config), []);
});
