/** File formats: safetensors, and files and folders that appear whole or not at all. */
export {publishDirectory, publishFile, removeLeftovers, removePublished} from './atomic.js';
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsDType,
  type SafetensorsFile,
  type SafetensorsInfo,
  type SafetensorsInput,
} from './safetensors.js';
