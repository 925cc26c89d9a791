/**
 * Token embedding beside a copy of as many bytes. Forward reads and writes a row for each token; backward reads a row for each token and
 * writes the float32 gradient of the whole table.
 */
import {native} from '../../lib/native.js';
import {cast, embedding, normal, uniform} from '../../lib/ops/index.js';
import {bytesOf, tensor, Tensor, type FloatDType} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {copyOf} from '../support/copy.js';
import {sized} from '../support/quick.js';

const vocab = sized(32_000, 256);
const features = sized(512, 64);
const tokens = sized(16_384, 128);

const wideTable = normal([vocab, features], {seed: 1});
const wideDy = normal([tokens, features], {seed: 2});
const rows = await wideTable.floats();
const dyRows = await wideDy.floats();

// As text has it: the r-th most frequent id has a share of about 1 / r.
const ids = (await uniform([tokens], {seed: 3}).floats()).map((u) => Math.floor(vocab ** u) - 1);
const tokenIds = tensor(Int32Array.from(ids));

const y64 = Float32Array.from({length: tokens * features}, (_, index) => {
  const id = ids[Math.floor(index / features)] ?? NaN;
  return rows[id * features + (index % features)] ?? NaN;
});

const dTable64 = new Float64Array(vocab * features);
for (const [index, value] of dyRows.entries()) {
  const at = (ids[Math.floor(index / features)] ?? NaN) * features + (index % features);
  dTable64[at] = (dTable64[at] ?? NaN) + value;
}

/** The share of the largest number that results may differ by: float32 sums, a rounding to bfloat16. */
const tolerances = {float32: 1e-5, bfloat16: 1e-2} as const;

function casesOf(dtype: FloatDType & keyof typeof tolerances): BenchCase[] {
  const table = cast(wideTable, dtype);
  const dy = cast(wideDy, dtype);
  const rowBytes = tokens * features * bytesOf(dtype);
  const backward = (): Tensor =>
    Tensor.fromNative(native.embeddingBackward(dy.native, tokenIds.native, vocab));
  const backwardBytes = rowBytes + vocab * features * 4;
  const shapes = `table [${vocab}, ${features}], ${tokens} tokens, ${dtype}`;
  return [
    {
      title: `forward ${shapes}`,
      ours: () => embedding(table, tokenIds),
      peer: copyOf(2 * rowBytes),
      bytes: 2 * rowBytes,
      check: () => checkClose(embedding(table, tokenIds), y64, tolerances[dtype]),
    },
    {
      title: `backward ${shapes}`,
      ours: backward,
      peer: copyOf(backwardBytes),
      bytes: backwardBytes,
      check: () => checkClose(backward(), dTable64, tolerances[dtype]),
    },
  ];
}

await runBench({name: 'ops/embedding', cases: [...casesOf('float32'), ...casesOf('bfloat16')]});
