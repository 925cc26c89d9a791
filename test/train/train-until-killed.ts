/** Run as a child that is killed: trains the tiny run in the folder that the first argument names, with the options that follow. */
import {collect, tinyConfig} from './tiny-run.js';

const [, , folder = '', ...set] = process.argv;
await collect(tinyConfig(folder, set));
