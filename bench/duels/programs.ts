/** The programs that can stand beside ours, and how they are started. None is needed to use, build or test crossmap. */
import {fileURLToPath} from 'node:url';
import type {PeerOptions, PeerProgram} from './peer.js';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const flagsOf = ({threads}: PeerOptions): readonly string[] =>
  threads === undefined ? [] : ['--threads', String(threads)];

export const torch: PeerProgram = {
  name: 'PyTorch',
  commands: (options) => {
    const script = fromHere('../../../bench/peers/serve.py'); // from dist/bench/duels
    return pythons().map((python) => [python, script, '--device', options.device, ...flagsOf(options)]);
  },
  install: (device) =>
    device === 'cpu'
      ? 'on Debian, apt-get install python3-torch libopenblas0-pthread, or name a Python with PyTorch in CROSSMAP_PYTHON'
      : 'name a Python with PyTorch in CROSSMAP_PYTHON',
};

/** The one of CROSSMAP_PYTHON comes first; the `python3` of the path need not be the system's, which has Debian's packages. */
export function pythons(): readonly string[] {
  const named = process.env['CROSSMAP_PYTHON'];
  return [...(named === undefined ? [] : [named]), '/usr/bin/python3', 'python3'];
}

/** A program of dist/bench/peers. Its memory is that of WebAssembly or of an arena: neither shrinks. */
function inNode(folder: string): Pick<PeerProgram, 'commands' | 'install' | 'keepsMemory'> {
  return {
    commands: (options) => [
      [process.execPath, '--expose-gc', fromHere(`../peers/${folder}/main.js`), ...flagsOf(options)],
    ],
    install: () => 'npm run bench:peers installs it',
    keepsMemory: true,
  };
}

export const onnxruntime: PeerProgram = {name: 'onnxruntime-node', ...inNode('onnxruntime')};

/** Its threaded build does not start in Node: github.com/tensorflow/tfjs, issue 3830. */
export const tfjs: PeerProgram = {name: 'TensorFlow.js', mostThreads: 1, ...inNode('tfjs')};

/** Its threads are Web Workers, which Node does not have. */
export const jax: PeerProgram = {name: 'jax-js', mostThreads: 1, ...inNode('jax')};
