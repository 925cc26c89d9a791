/** Steps on the device: which of them have the same shapes. */
import test from 'ava';
import type {Batch} from '../../lib/data/batch.js';
import {prepareStep} from '../../lib/objectives/prepared-step.js';
import {canCapture, scope, type Device} from '../../lib/tensor/index.js';
import {shaken} from '../nn/shapes.js';
import {onEachDevice, testDevices} from '../support/ops.js';
import {batchOf, configOf} from './batches.js';
import {measure, pairs, texts} from './measure.js';

const config = configOf('contrastive: {weight: 1}', 'steps: 100, tokensPerBatch: 64');

function signature(batches: readonly Batch[], device: Device, options = config): string {
  const prepared = prepareStep(options, batches, {stepIndex: 0, device});
  prepared.dispose();
  return prepared.signature;
}

/** Texts of one word each, of four tokens. */
function shortTexts(count: number): Batch {
  return batchOf(Array.from({length: count}, () => [11]));
}

for (const device of testDevices.filter(canCapture)) {
  test(`${device} batches of other tokens, segments, pairs and objectives have one signature`, (t) => {
    const wanted = signature([batchOf(texts, pairs.slice(0, 1))], device);
    t.is(signature([batchOf(texts.slice(1))], device), wanted);
    t.is(signature([batchOf([], pairs.slice(0, 2))], device), wanted);
    t.is(signature([shortTexts(15)], device), wanted, 'a 16th segment holds the tokens that fill up');
    t.is(signature([{...shortTexts(2), tokens: shortTexts(2).tokens.with(0, 9)}], device), wanted);
  });

  test(`${device} more micro-batches, segments, pairs, tokens or prefixes have another signature`, (t) => {
    const wide = configOf('contrastive: {weight: 1}', 'steps: 100, tokensPerBatch: 512');
    const prefixes = configOf(
      'contrastive: {weight: 1}, mapping: {prefix: true}',
      'steps: 100, tokensPerBatch: 512',
    );
    const many = Array.from({length: 17}, () => pairs[2]!);
    const signatures = [
      signature([shortTexts(15)], device, wide),
      signature([shortTexts(15), shortTexts(1)], device, wide),
      signature([shortTexts(16)], device, wide),
      signature([batchOf([], many)], device, wide),
      signature([shortTexts(15)], device),
      signature([shortTexts(15)], device, prefixes),
    ];
    t.is(new Set(signatures).size, signatures.length);
  });

  test(`${device} what fills a batch up is no target, no segment and no pair`, async (t) => {
    const batch = batchOf(texts.slice(1, 3), pairs.slice(0, 1));
    const own = batch.tokens.length;
    const prepared = prepareStep(config, [batch], {stepIndex: 100, device});
    const {batches, groups} = prepared.input(prepared.data);
    const {input, targets, parts, pairs: spans} = batches[0]!;
    const numbers = {...input, targets, groups: groups!, ownGroups: spans!.groups, ends: spans!.xEnds};
    const read = async (name: keyof typeof numbers): Promise<number[]> =>
      [...(await numbers[name]!.data())].map(Number);
    const zeros = (count: number): number[] => Array.from({length: count}, () => 0);
    t.deepEqual(await read('tokens'), [...batch.tokens, ...zeros(64 - own)]);
    t.deepEqual(await read('positions'), [...batch.positions, ...zeros(64 - own)]);
    t.deepEqual(await read('segmentStarts'), [...batch.segmentStarts, ...zeros(12).map(() => 64)]);
    t.deepEqual(await read('targets'), [...batch.targets, ...zeros(64 - own).map(() => -1)]);
    t.deepEqual(await read('groups'), [0, ...zeros(15).map(() => -1)]);
    t.deepEqual(await read('ownGroups'), [0, ...zeros(15).map(() => -1)]);
    t.deepEqual(await read('ends'), [batch.pairs.xEnds[0]!, ...zeros(15)]);
    for (const {weights} of parts)
      t.true((await weights.floats()).subarray(own).every((weight) => weight === 0));
    prepared.dispose();
  });
}

test('cpu batches keep their sizes', (t) => {
  const prepared = prepareStep(config, [batchOf(texts)], {stepIndex: 0, device: 'cpu'});
  scope(() => {
    const {batches, groups} = prepared.input(prepared.data);
    t.deepEqual(batches[0]!.input.segmentStarts.shape, [texts.length + 1]);
    t.deepEqual(
      batches[0]!.parts.map(({objective}) => objective),
      ['next'],
    );
    t.deepEqual([batches[0]!.pairs, groups], [undefined, undefined]);
  });
  prepared.dispose();
});

onEachDevice(['float32'], 'losses are told of objectives that had something in the step', async (t, on) => {
  using decoder = shaken(on);
  const {losses, loss, result} = await measure(decoder, config, [batchOf(texts)]);
  t.is(loss, losses.next!);
  t.deepEqual(Object.keys(result.losses), ['next']);
  t.deepEqual([result.pairs, result.comparedPairs, result.targetShares.mapping], [0, 0, 0]);
});
