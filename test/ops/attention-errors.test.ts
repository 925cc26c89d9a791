/** What attention refuses, and what it says. */
import {backward, requireGradient} from '../../lib/autograd/index.js';
import {attention, type AttentionOptions} from '../../lib/ops/index.js';
import {full, synchronize, tensor, zeros, type Device, type Tensor} from '../../lib/tensor/index.js';
import {onEachDevice} from '../support/ops.js';

interface Arguments {
  readonly q?: Tensor;
  readonly k?: Tensor;
  readonly v?: Tensor;
  readonly options?: Partial<AttentionOptions>;
}

const ints = (values: number[], device: Device): Tensor =>
  tensor(values, {dtype: 'int32', device, shape: [values.length]});

/** Attention of 5 tokens in segments of 2 and 3, 4 heads, 2 key heads, headDim 6, with some arguments replaced. */
function call(device: Device, {q, k, v, options = {}}: Arguments): Tensor {
  const keys = (): Tensor => zeros([5, 2, 6], {device});
  return attention(q ?? zeros([5, 4, 6], {device}), k ?? keys(), v ?? keys(), {
    segmentStarts: ints([0, 2, 5], device),
    ...options,
  });
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly change: (device: Device) => Arguments;
}

const refusals: readonly Refusal[] = [
  {
    code: 'ERR_SHAPE',
    message: 'q must have 3 axes; got [5, 24]',
    change: (device) => ({q: zeros([5, 24], {device})}),
  },
  {
    code: 'ERR_DTYPE',
    message: 'q must be float32, bfloat16 or float16; got int32',
    change: (device) => ({q: zeros([5, 4, 6], {device, dtype: 'int32'})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'k must have 3 axes; got [5, 12]',
    change: (device) => ({k: zeros([5, 12], {device})}),
  },
  {
    code: 'ERR_DTYPE',
    message: 'k must be float32 to match q; got bfloat16',
    change: (device) => ({k: zeros([5, 2, 6], {device, dtype: 'bfloat16'})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'v must be [5, 2, 6] to match k [5, 2, 6]; got [5, 2, 8]',
    change: (device) => ({v: zeros([5, 2, 8], {device})}),
  },
  {
    code: 'ERR_DTYPE',
    message: 'v must be float32 to match q; got float16',
    change: (device) => ({v: zeros([5, 2, 6], {device, dtype: 'float16'})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'headDim of q must be even, from 2 to 256; got 5',
    change: (device) => ({q: zeros([5, 4, 5], {device})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'headDim of q must be even, from 2 to 256; got 258',
    change: (device) => ({q: zeros([5, 4, 258], {device})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'heads of q must be a multiple of the heads of k, 2; got 3',
    change: (device) => ({q: zeros([5, 3, 6], {device})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'k must be [5, 2, 8] to match q [5, 4, 8]; got [5, 2, 6]',
    change: (device) => ({q: zeros([5, 4, 8], {device})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'tokens of k must be 5 to match q, unless there are keyStarts; got 7',
    change: (device) => ({k: zeros([7, 2, 6], {device}), v: zeros([7, 2, 6], {device})}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'segmentStarts must have 1 axis; got [1, 3]',
    change: (device) => ({options: {segmentStarts: zeros([1, 3], {device, dtype: 'int32'})}}),
  },
  {
    code: 'ERR_DTYPE',
    message: 'segmentStarts must be int32; got int64',
    change: (device) => ({options: {segmentStarts: zeros([3], {device, dtype: 'int64'})}}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'segmentStarts must be [segments + 1]; got [0]',
    change: (device) => ({options: {segmentStarts: zeros([0], {device, dtype: 'int32'})}}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'keyStarts must be [3] to match segmentStarts [3]; got [2]',
    change: (device) => ({options: {keyStarts: ints([0, 5], device)}}),
  },
  {
    code: 'ERR_DTYPE',
    message: 'keyStarts must be int32; got float32',
    change: (device) => ({options: {keyStarts: zeros([3], {device})}}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'prefixLengths must be [2]; got [3]',
    change: (device) => ({options: {prefixLengths: ints([0, 0, 0], device)}}),
  },
  {
    code: 'ERR_DTYPE',
    message: 'prefixLengths must be int32; got uint8',
    change: (device) => ({options: {prefixLengths: zeros([2], {device, dtype: 'uint8'})}}),
  },
  {
    code: 'ERR_SHAPE',
    message: 'sinks must be [4] to match q [5, 4, 6]; got [2]',
    change: (device) => ({options: {sinks: zeros([2], {device})}}),
  },
  {
    code: 'ERR_DTYPE',
    message: 'sinks must be float32; got bfloat16',
    change: (device) => ({options: {sinks: zeros([4], {device, dtype: 'bfloat16'})}}),
  },
  {
    code: 'ERR_ARGUMENT',
    message: "window must be at least 1: the query's own position; got 0",
    change: () => ({options: {window: 0}}),
  },
  {
    code: 'ERR_ARGUMENT',
    message: 'scale must be a number above 0; got -1',
    change: () => ({options: {scale: -1}}),
  },
  {
    code: 'ERR_ARGUMENT',
    message: 'softcap must be a number above 0; got Infinity',
    change: () => ({options: {softcap: Infinity}}),
  },
];

for (const {code, message, change} of refusals)
  onEachDevice(['float32'], `attention refuses: ${message}`, (t, {device}) => {
    t.throws(() => call(device, change(device)), {code, message: `attention: ${message}`});
  });

const faults: Readonly<Record<string, (device: Device) => Partial<AttentionOptions>>> = {
  'segmentStarts[0] must be 0; got 1': (device) => ({segmentStarts: ints([1, 2, 5], device)}),
  'segmentStarts[1] must be at least the start before it, 0; got -1': (device) => ({
    segmentStarts: ints([0, -1, 5], device),
  }),
  'segmentStarts[2] must be at least the start before it, 2000000000; got 5': (device) => ({
    segmentStarts: ints([0, 2_000_000_000, 5], device),
  }),
  'segmentStarts[2] must be the number of tokens, 5; got 6': (device) => ({
    segmentStarts: ints([0, 2, 6], device),
  }),
  'segmentStarts[0] must be the number of tokens, 5; got 0': (device) => ({segmentStarts: ints([0], device)}),
  'keyStarts[2] must be the number of tokens, 5; got 4': (device) => ({keyStarts: ints([0, 2, 4], device)}),
  'prefixLengths[1] must be from 0 to the 3 keys of its segment; got 4': (device) => ({
    prefixLengths: ints([2, 4], device),
  }),
  'prefixLengths[0] must be from 0 to the 2 keys of its segment; got -1': (device) => ({
    prefixLengths: ints([-1, 0], device),
  }),
};

for (const [message, optionsFor] of Object.entries(faults))
  onEachDevice(['float32'], `attention faults: ${message}`, async (t, {device}) => {
    const out = call(device, {options: optionsFor(device)});
    await t.throwsAsync(synchronize(device), {code: 'ERR_INDEX', message: `attention: ${message}`});
    t.true((await out.floats()).every((value) => value === 0));
  });

onEachDevice(
  ['float32'],
  'a backward pass of attention faults like the forward pass',
  async (t, {device}) => {
    const q = requireGradient(zeros([5, 4, 6], {device}));
    const out = call(device, {q, options: {segmentStarts: ints([0, 3, 4], device)}});
    await t.throwsAsync(synchronize(device), {code: 'ERR_INDEX'});
    backward(out, full(out.shape, 1, {device}));
    await t.throwsAsync(synchronize(device), {
      code: 'ERR_INDEX',
      message: 'attentionBackward: segmentStarts[2] must be the number of tokens, 5; got 4',
    });
  },
);
