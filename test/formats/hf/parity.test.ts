/** What is exported computes in PyTorch what it computes here. */
import {join} from 'node:path';
import test from 'ava';
import type {DecoderShape} from '../../../lib/nn/index.js';
import {exportModel, importModel, loadModel} from '../../../lib/train/index.js';
import type {FloatDType} from '../../../lib/tensor/index.js';
import {wholeNumbers} from '../../support/numbers.js';
import {temporaryFolder} from '../folder.js';
import {logitsOf, python, smallModel, torchLogits} from './models.js';

const withTorch = python === undefined ? test.skip : test;
if (python === undefined)
  console.log('parity with PyTorch is not tested: name a Python with PyTorch in CROSSMAP_PYTHON');

const variants: Readonly<Record<string, Partial<DecoderShape>>> = {
  'grouped heads, a head dimension that is not features / heads, a tied head': {},
  'a head of its own': {tiedHead: false},
  'as many key as query heads': {kvHeads: 4, headDim: 8},
  'one key head': {kvHeads: 1},
  'a window on all layers': {slidingWindow: {size: 5, layers: [1, 2]}},
  'linear scaling': {ropeScaling: {type: 'linear', factor: 4}},
  'llama3 scaling': {
    ropeTheta: 500000,
    ropeScaling: {
      type: 'llama3',
      factor: 8,
      originalContext: 16,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
    },
  },
  'yarn scaling': {
    headDim: 16,
    ropeTheta: 10000,
    ropeScaling: {type: 'yarn', factor: 4, originalContext: 16, betaFast: 4, betaSlow: 0.5},
  },
};

const tokens = wholeNumbers(48, 260, 11);

const largest = (values: Iterable<number>): number =>
  [...values].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const distance = (a: Float32Array, b: Float32Array): number => largest(a.map((value, i) => value - b[i]!));

// The order of float32 sums over a few dozen features, through two blocks.
const floor = 2 ** -18;

const dtypes: readonly FloatDType[] = ['float32', 'bfloat16'];
const cases = Object.entries(variants).flatMap(([title, change]) =>
  dtypes.map((dtype) => ({title: `${dtype}, ${title}`, change, dtype})),
);

// One test, for one Python: most of its time goes into the import of PyTorch.
withTorch('logits of what is exported are as near to the exact ones as those of PyTorch', async (t) => {
  const models = await Promise.all(cases.map(({change, dtype}) => smallModel(t, change, dtype)));
  const folders = models.map(({folder}) => join(folder, 'hf'));
  for (const [i, {checkpoint}] of models.entries())
    await exportModel(checkpoint, folders[i]!, {maxShardBytes: 20_000});
  const jobs = cases.flatMap(({dtype}, i) =>
    [dtype, 'float64' as const].map((each) => ({folder: folders[i]!, dtype: each, tokens})),
  );
  const logits = await torchLogits(await temporaryFolder(t), jobs);
  for (const [i, {title}] of cases.entries()) {
    const [theirs, exact] = logits.slice(2 * i);
    const ours = await logitsOf(models[i]!.decoder, tokens);
    const [our, their] = [ours, theirs!].map((each) => distance(each, exact!) / largest(exact!));
    t.log(`${title}: largest error ${our!.toExponential(1)}, that of PyTorch ${their!.toExponential(1)}`);
    t.true(our! <= 2 * their! + floor, title);
    const imported = join(models[i]!.folder, 'imported');
    await importModel(folders[i]!, imported, {languages: []});
    using again = await loadModel(imported, {device: 'cpu'});
    t.deepEqual(await logitsOf(again.decoder, tokens), ours, `imported again: ${title}`);
  }
});
