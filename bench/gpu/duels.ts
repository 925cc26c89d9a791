/**
 * The cases that are timed beside PyTorch on a GPU, or small ones on the emulator. A line of JSON at the end: `{"peers": [...],
 * "comparisons": [...], "left": [titles for which no time was left]}`.
 */
import {parseArgs} from 'node:util';
import {runDuel} from '../duels/duel.js';
import {startPeers} from '../duels/peer.js';
import {torch} from '../duels/programs.js';
import {titleOf, type WorkCase} from '../duels/work-case.js';
import type {Comparison} from '../support/comparison.js';

const dtype = 'bfloat16';

const onGpu: readonly WorkCase[] = [
  {kind: 'attention', pass: 'forward', tokens: 8192, heads: 16, headDim: 64, dtype},
  {kind: 'attention', pass: 'both', tokens: 8192, heads: 16, headDim: 64, dtype},
  {kind: 'attention', pass: 'forward', tokens: 8192, heads: 16, headDim: 128, dtype},
  {kind: 'attention', pass: 'both', tokens: 8192, heads: 16, headDim: 128, dtype},
  {kind: 'contrastive', pass: 'both', pairs: 8192, features: 1024, dtype},
  {kind: 'linearCrossEntropy', pass: 'both', tokens: 8192, features: 2048, vocab: 65_536, dtype},
  {kind: 'rmsNorm', pass: 'both', tokens: 16_384, features: 4096, dtype},
  {kind: 'adamw', pass: 'step', weights: 2 ** 27, dtype},
  {
    kind: 'trainingStep',
    pass: 'step',
    tokens: 16_384,
    segment: 1024,
    layers: 12,
    features: 768,
    heads: 12,
    hiddenFeatures: 2048,
    vocab: 32_768,
    dtype,
  },
];

const onEmulator: readonly WorkCase[] = [
  {kind: 'attention', pass: 'forward', tokens: 96, heads: 2, headDim: 64, dtype},
  {kind: 'attention', pass: 'both', tokens: 96, heads: 2, headDim: 64, dtype},
  {kind: 'contrastive', pass: 'both', pairs: 64, features: 64, dtype},
  {kind: 'linearCrossEntropy', pass: 'both', tokens: 64, features: 64, vocab: 512, dtype},
  {kind: 'rmsNorm', pass: 'both', tokens: 64, features: 256, dtype},
  {kind: 'adamw', pass: 'step', weights: 8192, dtype},
  {
    kind: 'trainingStep',
    pass: 'step',
    tokens: 64,
    segment: 32,
    layers: 1,
    features: 64,
    heads: 2,
    hiddenFeatures: 128,
    vocab: 256,
    dtype,
  },
];

const {values: flags} = parseArgs({
  options: {
    device: {type: 'string', default: 'cuda'},
    'peer-device': {type: 'string'},
    seconds: {type: 'string', default: '120'},
  },
});
const isEmulated = flags.device === 'simt';
const deadline = performance.now() + Number(flags.seconds) * 1000;
// The first answer of a peer may take a compilation of its graph.
const limitSeconds = 60;

// Beside the emulator a peer has nothing to do, unless it is asked for.
const programs = !isEmulated || flags['peer-device'] !== undefined ? [torch] : [];
const peers = await startPeers(programs, {
  device: flags['peer-device'] === 'cpu' ? 'cpu' : 'cuda',
  threads: undefined,
  limitSeconds,
});

const comparisons: Comparison[] = [];
const left: string[] = [];
try {
  for (const work of isEmulated ? onEmulator : onGpu) {
    if (performance.now() > deadline) {
      left.push(titleOf(work));
      continue;
    }
    comparisons.push(
      await runDuel(work, peers.running, {
        device: flags.device,
        rounds: isEmulated ? 1 : 7,
        sampleSeconds: isEmulated ? 0.001 : 0.1,
        limitSeconds,
        deadline,
      }),
    );
  }
} finally {
  for (const peer of peers.running) peer.end();
}
console.log(JSON.stringify({peers: peers.facts, comparisons, left}));
