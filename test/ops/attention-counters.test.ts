/** What the emulator counts of attention: products for elements that no query sees, and conflicts between banks of shared memory. */
import test from 'ava';
import {backward, requireGradient} from '../../lib/autograd/index.js';
import {conflictRatio, issuedFlops} from '../../lib/bench/roofline.js';
import type {KernelCounters} from '../../lib/kernel-counters.js';
import {native} from '../../lib/native.js';
import {full, type FloatDType} from '../../lib/tensor/index.js';
import {uniformNumbers} from '../support/numbers.js';
import {floatDTypes, testDevices} from '../support/ops.js';
import {inputsOf, run, tensorsOf, type Case} from './attention-reference.js';

const device = 'simt';

/** Counters of the kernels of attention, forward and backward. */
function countersOf(c: Case, dtype: FloatDType): Record<'forward' | 'backward', KernelCounters[]> {
  const leaves = tensorsOf(Object.values(inputsOf(c)), device, dtype).map(requireGradient);
  native.simtCounters(); // waits for what ran before
  native.simtProfile(true);
  const out = run(c, device, leaves);
  backward(out, full(out.shape, 1, {device, dtype}));
  const counters = native.simtCounters();
  native.simtProfile(false);
  const of = (name: string): KernelCounters[] => counters.filter(({kernel}) => kernel === name);
  return {forward: of('attention'), backward: of('attentionBackward')};
}

/** Operations of one product of the size of the scores, where queries see all that a causal mask leaves. */
function neededFlops({queries, heads = 1, headDim = 16}: Case): number {
  const pairs = queries.reduce((sum, count) => sum + (count * (count + 1)) / 2, 0);
  return 2 * pairs * heads * headDim;
}

const segmentLengths = (count: number): number[] => {
  const uniform = uniformNumbers(3);
  return Array.from({length: count}, () => 20 + Math.floor(uniform() * 181));
};

// The forward pass has two products and the backward pass five, of the same pieces of 16 x 16 elements.
const wasteCases: Readonly<Record<string, {c: Case; most: number}>> = {
  // Less of a longer segment is on the diagonal.
  'one segment of 1024 tokens': {c: {queries: [1024], headDim: 64}, most: 1.02},
  '64 segments of 20 to 200 tokens': {c: {queries: segmentLengths(64), headDim: 64}, most: 1.35},
  'shared key heads': {
    c: {queries: segmentLengths(16), heads: 4, kvHeads: 1, headDim: 64},
    most: 1.35,
  },
};

if (testDevices.includes(device)) {
  // In turn, since the counters are those of the process.
  for (const [title, {c, most}] of Object.entries(wasteCases))
    test.serial(`${device} bfloat16 attention of ${title} multiplies hardly more than it must`, (t) => {
      const counters = countersOf(c, 'bfloat16');
      const needed = neededFlops(c);
      const forward = issuedFlops(counters.forward) / (2 * needed);
      const backwards = issuedFlops(counters.backward) / (5 * needed);
      t.true(forward >= 1 && forward <= most, `the forward pass issues ${forward} of what it needs`);
      t.true(backwards >= 1 && backwards <= most, `the backward pass issues ${backwards} of what it needs`);
    });

  // Each padded size, and more than one block of keys and of rows, masked and not.
  for (const headDim of [32, 64, 96, 128, 192, 256])
    for (const dtype of floatDTypes)
      test.serial(`${device} ${dtype} attention of headDim ${headDim} has no bank conflict`, (t) => {
        const counters = countersOf({queries: [100, 9], headDim}, dtype);
        t.is(conflictRatio(counters.forward), 1);
        t.is(conflictRatio(counters.backward), 1);
      });
} else test('attention is counted on the emulator alone', (t) => t.false(testDevices.includes(device)));
