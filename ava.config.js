import {addonFile, flavours} from './scripts/setup/addon.mjs';

export default {
  files: ['dist/test/**/*.test.js'],
  // Both devices: ops run on the CPU and on the emulated GPU.
  environmentVariables: {CROSSMAP_ADDON: process.env.CROSSMAP_ADDON ?? addonFile(flavours.simt)},
  workerThreads: false,
  concurrency: 2,
  timeout: '3m',
};
