/**
 * File formats: safetensors, GGUF, Hugging Face models, and files and folders that appear whole or not at all.
 *
 * @module crossmap/formats
 */
export {publishDirectory, publishFile, removeLeftovers, removePublished} from './atomic.js';
export {converted, convertedPieces, floatsOf} from './convert.js';
export {
  decoderWeights,
  exportGguf,
  type GgufModel,
  type GgufOptions,
  type ReadWeight,
} from './gguf/export.js';
export {readGguf, writeGguf, type GgufFile, type GgufInfo, type GgufInput} from './gguf/gguf.js';
export type {GgufTensorType} from './gguf/tensor-types.js';
export type {GgufTokenizer} from './gguf/tokenizer-metadata.js';
export type {
  GgufArray,
  GgufBigType,
  GgufItem,
  GgufMetadata,
  GgufNumberType,
  GgufType,
  GgufValue,
} from './gguf/values.js';
export {openGrowingFile, type GrowingFile} from './growing-file.js';
export {hfFileNames, openHfFolder, writeHfFolder, type HfContent, type HfFolder} from './hf/folder.js';
export type {HfConfig} from './hf/config.js';
export {takeLock, type Lock, type Purpose} from './lock.js';
export type {JsonFile} from './model-file.js';
export {publishModelFolder, type ModelFolderOptions} from './model-folder.js';
export {openTensors, writeTensorFiles, type StoredTensors, type TensorFilesOptions} from './shards.js';
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsDType,
  type SafetensorsFile,
  type SafetensorsInfo,
  type SafetensorsInput,
} from './safetensors.js';
