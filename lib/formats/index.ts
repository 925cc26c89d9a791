/**
 * File formats: safetensors, and files and folders that appear whole or not at all.
 *
 * @module crossmap/formats
 */
export {publishDirectory, publishFile, removeLeftovers, removePublished} from './atomic.js';
export {openGrowingFile, type GrowingFile} from './growing-file.js';
export {takeLock, type Lock, type Purpose} from './lock.js';
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsDType,
  type SafetensorsFile,
  type SafetensorsInfo,
  type SafetensorsInput,
} from './safetensors.js';
