/**
 * Tensors of more than 2^31 elements: an offset of 32 bits is wrong from there on. Each case looks at the last elements, and at those on both
 * sides of the boundary. `--device D`; the last line is JSON.
 */
import {parseArgs} from 'node:util';
import {backward, clearGradients, gradient, requireGradient} from '../../lib/autograd/index.js';
import {add, cast, embedding, globalNorm, rmsNorm, softmax, sum, swiglu} from '../../lib/ops/index.js';
import {
  emptyCache,
  full,
  requireDevice,
  scope,
  tensor,
  type Device,
  type Tensor,
} from '../../lib/tensor/index.js';

const {values: flags} = parseArgs({options: {device: {type: 'string', default: 'cuda'}}});
const device = flags.device as Device;
requireDevice(device);

const features = 4096;
/** 2^31 elements and one row. */
const rows = 2 ** 19 + 1;
const ones = (): Tensor => full([rows, features], 1, {dtype: 'bfloat16', device});

/** The rows on both sides of 2^31 elements, all of `wanted`. */
async function expectRows(x: Tensor, wanted: number): Promise<void> {
  for (const row of [0, rows - 2, rows - 1]) {
    const part = x.rows(row, row + 1);
    const values = await part.floats();
    part.dispose();
    const wrong = values.findIndex((value) => value !== wanted);
    if (wrong >= 0) throw new Error(`row ${row}, column ${wrong}: ${values[wrong]} instead of ${wanted}`);
  }
}

async function checked(make: () => Tensor, wanted: number): Promise<void> {
  const result = scope(make);
  await expectRows(result, wanted);
  result.dispose();
}

const cases: Readonly<Record<string, () => Promise<void>>> = {
  add: () => checked(() => add(ones(), ones()), 2),
  cast: () => checked(() => cast(ones(), 'float32'), 1),
  swiglu: () => checked(() => swiglu(full([rows, features], 100, {dtype: 'bfloat16', device}), ones()), 100),
  softmax: () => checked(() => softmax(ones()), 1 / features),
  // Of ones: the root mean square is 1, and eps too little to show.
  'rms-norm': () => checked(() => rmsNorm(ones(), full([features], 1, {dtype: 'bfloat16', device})), 1),
  async sum() {
    const total = scope(() => sum(ones(), {axis: 'last'}));
    const values = await total.floats();
    total.dispose();
    if (values.some((value) => value !== features))
      throw new Error('a row of ones does not sum to its length');
  },
  async 'global-norm'() {
    const norm = scope(() => globalNorm([full([rows, features], 1, {device})]));
    const value = await norm.item();
    norm.dispose();
    const wanted = Math.sqrt(rows * features);
    if (Math.abs(value - wanted) > 1e-5 * wanted) throw new Error(`${value} instead of ${wanted}`);
  },
  async embedding() {
    const table = requireGradient(ones());
    const ids = tensor(Int32Array.of(0, rows - 2, rows - 1, rows - 1), {device});
    const seed = full([4, features], 1, {dtype: 'bfloat16', device});
    const y = embedding(table, ids);
    const values = await y.floats();
    if (values.some((value) => value !== 1))
      throw new Error('a row that was looked up is not that of the table');
    backward(y, seed);
    const dTable = gradient(table)?.rows(rows - 2, rows);
    const last = (await dTable?.floats()) ?? new Float32Array();
    if (last[0] !== 1 || last.at(-1) !== 2)
      throw new Error(`gradients ${last[0]} and ${last.at(-1)} instead of 1 and 2`);
    clearGradients([table]);
    for (const each of [table, ids, seed, y, dTable]) each?.dispose();
  },
};

const results: {name: string; error?: string}[] = [];
for (const [name, run] of Object.entries(cases)) {
  try {
    await run();
    results.push({name});
  } catch (error) {
    results.push({name, error: error instanceof Error ? error.message : String(error)});
  }
  console.error(JSON.stringify(results.at(-1)));
  emptyCache(device);
}
console.log(JSON.stringify(results));
process.exitCode = results.every(({error}) => error === undefined) ? 0 : 1;
