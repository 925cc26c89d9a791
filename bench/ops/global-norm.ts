/** The global norm of many tensors beside a plain loop in TypeScript. Bytes: each element is read once. */
import {clipScale, globalNorm} from '../../lib/ops/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {runBench} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const sizes = [
  ...Array.from({length: 64}, () => sized(1 << 16, 64)),
  ...Array.from({length: 16}, () => 256),
  sized(1 << 22, 1 << 12),
];
const count = sizes.reduce((total, size) => total + size, 0);
const lists = sizes.map((size) => Float32Array.from({length: size}, (_, index) => Math.sin(index)));
const tensors = lists.map((each) => tensor(each));

function plain(): number {
  let total = 0;
  for (const list of lists) for (const value of list) total += value * value;
  return Math.sqrt(total);
}

await runBench({
  name: 'ops/global-norm',
  cases: [
    {
      title: `${sizes.length} tensors, ${count} elements, with the factor that clips them`,
      ours: () => clipScale(globalNorm(tensors), 1),
      peer: {name: 'a loop in TypeScript', run: plain},
      bytes: count * 4,
      check: () => checkClose(globalNorm(tensors), [plain()], 1e-6),
    },
  ],
});
