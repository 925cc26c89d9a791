/**
 * Runs ops forward and backward again and again and compares each bit of results and gradients with those of the first run.
 * `--runs N`, `--device D`. The last line is JSON; the exit status is 1 where anything differed.
 */
import {createHash} from 'node:crypto';
import {parseArgs} from 'node:util';
import {backward, clearGradients, gradient, requireGradient} from '../../lib/autograd/index.js';
import {
  attention,
  contrastive,
  embedding,
  globalNorm,
  linearCrossEntropy,
  normal,
  pool,
  rmsNorm,
  sum,
} from '../../lib/ops/index.js';
import {requireDevice, scope, tensor, type Device, type Tensor} from '../../lib/tensor/index.js';

const {values: flags} = parseArgs({
  options: {device: {type: 'string', default: 'cuda'}, runs: {type: 'string', default: '1000'}},
});
const device = flags.device as Device;
const runs = Number(flags.runs);
requireDevice(device);

/** Sizes that leave a rest in every tile; several blocks meet in each sum of a gradient. */
const isEmulated = device === 'simt';
const tokens = isEmulated ? 70 : 1037;
const features = isEmulated ? 72 : 520;
const vocab = isEmulated ? 150 : 3001;
const headDim = 64;

interface Subject {
  readonly name: string;
  readonly leaves: readonly Tensor[];
  readonly forward: () => Tensor;
  /** Of the result; default 1 for a scalar. */
  readonly seed?: Tensor;
}

const make = (shape: readonly number[], seed: number): Tensor =>
  normal(shape, {seed, dtype: 'bfloat16', device});
const leaf = (shape: readonly number[], seed: number): Tensor => requireGradient(make(shape, seed));
const ints = (values: ArrayLike<number>): Tensor => tensor(Int32Array.from(values), {device});

function subjects(): readonly Subject[] {
  const rows = [tokens, features];
  const heads = [tokens, 2, headDim];
  const [q, k, v] = [leaf(heads, 1), leaf(heads, 2), leaf(heads, 3)];
  const [x, y] = [leaf(rows, 4), leaf(rows, 5)];
  const weight = leaf([features], 6);
  const table = leaf([vocab, features], 7);
  const wide = normal([vocab, features], {seed: 12, device});
  const segmentStarts = ints([0, 1, 20, 20, tokens]);
  const ids = ints(Array.from({length: tokens}, (_, t) => (t * t) % vocab));
  const spans = [ints([0, 5, 3]), ints([tokens, 30, 3])] as const;
  return [
    {
      name: 'attention',
      leaves: [q, k, v],
      forward: () => attention(q, k, v, {segmentStarts}),
      seed: make(heads, 8),
    },
    {name: 'contrastive', leaves: [x, y], forward: () => contrastive(x, y, {temperature: 0.05})},
    {
      name: 'linear cross-entropy',
      leaves: [x, table],
      forward: () => linearCrossEntropy(x, table, ids).loss,
    },
    {name: 'RMSNorm', leaves: [x, weight], forward: () => rmsNorm(x, weight), seed: make(rows, 9)},
    {name: 'embedding', leaves: [table], forward: () => embedding(table, ids), seed: make(rows, 10)},
    {
      name: 'pool',
      leaves: [x],
      forward: () => pool(x, ...spans, {pooling: 'weighted', normalize: true}),
      seed: normal([3, features], {seed: 11, device}),
    },
    {name: 'sum', leaves: [x], forward: () => sum(x)},
    {name: 'global norm', leaves: [], forward: () => globalNorm([wide, wide])},
  ];
}

/** A digest of the bits of the result and of all gradients. */
async function digest({leaves, forward, seed}: Subject): Promise<string> {
  const results = scope(() => {
    clearGradients(leaves);
    const result = forward();
    if (leaves.length > 0) backward(result, seed);
    return [result];
  });
  const hash = createHash('sha256');
  for (const each of [...results, ...leaves.flatMap((each) => gradient(each) ?? [])]) {
    const elements = await each.data();
    hash.update(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
  }
  for (const each of results) each.dispose();
  return hash.digest('hex');
}

const results: {name: string; runs: number; different: number; error?: string}[] = [];
for (const subject of subjects()) {
  const result = {name: subject.name, runs: 0, different: 0};
  try {
    const first = await digest(subject);
    for (result.runs = 1; result.runs < runs; result.runs++)
      if ((await digest(subject)) !== first) result.different++;
    results.push(result);
  } catch (error) {
    results.push({...result, error: error instanceof Error ? error.message : String(error)});
  }
  console.error(JSON.stringify(results.at(-1)));
}
console.log(JSON.stringify(results));
process.exitCode = results.every(({different, error}) => different === 0 && error === undefined) ? 0 : 1;
