/** File formats: safetensors, and files and folders that appear whole or not at all. */
export {publishDirectory, publishFile, removeLeftovers, removePublished} from './atomic.js';
export {openGrowingFile, type GrowingFile} from './growing-file.js';
export {takeLock} from './lock.js';
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsDType,
  type SafetensorsFile,
  type SafetensorsInfo,
  type SafetensorsInput,
} from './safetensors.js';
