import {backward, clearGradients, noGrad} from '../../lib/autograd/index.js';
import {createDecoder, decoderInput, generate, generateAll} from '../../lib/nn/index.js';
import {indices} from '../../lib/nn/input.js';
import {linearCrossEntropy} from '../../lib/ops/index.js';
import {memory, scope} from '../../lib/tensor/index.js';
import {aloneOnEachDevice, keepsNothing} from '../support/memory.js';
import {lengths, packedSegments, tiny} from './shapes.js';

const packed = packedSegments(lengths);

aloneOnEachDevice('a decoder gives all its memory back, whatever scope it was made in', async (t, on) => {
  await keepsNothing(t, on, () => {
    const before = memory(on.device).allocatedBytes;
    const decoder = scope(() => createDecoder({...tiny, tiedHead: false}, {seed: 1, ...on}));
    t.true(memory(on.device).allocatedBytes > before + 4 * decoder.parameterCount);
    decoder.dispose();
  });
});

aloneOnEachDevice('evaluation keeps nothing but its result', async (t, on) => {
  using decoder = createDecoder(tiny, {seed: 1, ...on});
  await keepsNothing(t, on, () => {
    const before = memory(on.device).allocatedBytes;
    const hidden = noGrad(() => scope(() => decoder.forward(decoderInput(packed, on.device)).hidden));
    t.is(memory(on.device).allocatedBytes - before, Math.ceil(hidden.bytes / 64) * 64);
    hidden.dispose();
  });
});

for (const checkpointing of [false, true])
  aloneOnEachDevice(
    `a training pass leaves gradients and nothing else, ${checkpointing ? 'with' : 'without'} checkpointing`,
    async (t, on) => {
      using decoder = createDecoder(tiny, {seed: 1, ...on});
      await keepsNothing(t, on, () => {
        scope(() => {
          const {hidden} = decoder.forward(decoderInput(packed, on.device), {checkpointing});
          backward(linearCrossEntropy(hidden, decoder.head, indices(packed.tokens, on.device)).loss);
        });
        clearGradients(decoder.parameters.map(({tensor}) => tensor));
      });
    },
  );

const prompts = [Int32Array.of(5, 6, 7), Int32Array.of(8)];

aloneOnEachDevice('generation frees its cache at the end, on a break and on an abort', async (t, on) => {
  using decoder = createDecoder(tiny, {seed: 1, ...on});
  await keepsNothing(t, on, () => generateAll(decoder, prompts, {maxNewTokens: 3, temperature: 1}));
  await keepsNothing(t, on, async () => {
    for await (const {token} of generate(decoder, prompts, {maxNewTokens: 3})) if (token >= 0) break;
  });
  const abort = new AbortController();
  const readFour = async (): Promise<void> => {
    let count = 0;
    const options = {maxNewTokens: 20, signal: abort.signal};
    for await (const {token} of generate(decoder, prompts, options))
      if (++count === 4 && token >= 0) abort.abort();
  };
  await keepsNothing(t, on, () =>
    t.throwsAsync(readFour, {code: 'ERR_ABORTED', message: 'generate: stopped by its signal'}),
  );
});
