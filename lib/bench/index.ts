/** Benches on the emulator: exact counts of what kernels do, and a modelled time. */
export {randomTensor} from './random-tensor.js';
export {h100, sectorBytes, type Gpu} from './roofline.js';
export {benchCases, benchOnEmulator, benchedOps, type EmulatorBench, type StageResult} from './run.js';
export {
  attentionWork,
  contrastiveWork,
  linearCrossEntropyWork,
  matmulWork,
  type ContrastiveSizes,
  type LinearCrossEntropySizes,
  type Passes,
} from './work.js';
