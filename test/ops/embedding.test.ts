/** embedding against indexing in JavaScript. */
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {embedding} from '../../lib/ops/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {asGoodAsPlain, closeTo, floatDTypes, onEachDevice, representable} from '../support/ops.js';

for (const features of [1, 15, 16, 17, 255, 256, 257])
  onEachDevice(
    floatDTypes,
    `embedding and its gradient with ${features} features`,
    async (t, {device, dtype}) => {
      const vocab = 70;
      const table = representable(normalNumbers(vocab * features), dtype);
      const ids = wholeNumbers(130, vocab, 5);
      const rows = ids.map((id) => table.slice(id * features, (id + 1) * features));
      const leaf = requireGradient(tensor(table, {shape: [vocab, features], device, dtype}));
      const y = embedding(leaf, tensor(ids, {device, dtype: 'int32'}));
      await asGoodAsPlain(t, y, () => rows);
      const dy = representable(normalNumbers(130 * features, 3), dtype);
      backward(y, tensor(dy, {shape: [130, features], device, dtype}));
      const wanted = new Float32Array(vocab * features);
      for (const [at, id] of ids.entries())
        for (let d = 0; d < features; d++) wanted[id * features + d]! += dy[at * features + d]!;
      closeTo(t, await gradient(leaf)!.floats(), wanted, 0);
    },
  );
