/** Finds and loads the native addon. Nothing else in lib knows where it lies or that its errors are not yet ours. */
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';
import {CrossmapError, isErrorCode} from './errors.js';
import type {NativeDevice, NativeDType, NativeOps, NativeTensor, Shape} from './native-ops.js';
import type {KernelCounters, KernelLaunch} from './kernel-counters.js';
import type {NativeEvents} from './native-profile.js';

export type {
  AxisName,
  BinaryName,
  NativeDevice,
  NativeDType,
  NativeTensor,
  ReductionName,
  SoftmaxName,
  UnaryName,
  UnaryOptions,
} from './native-ops.js';
export type {NativeEvent} from './native-profile.js';

/** Memory of a device, in bytes. */
interface NativeMemory {
  readonly allocatedBytes: number;
  readonly cachedBytes: number;
  readonly peakBytes: number;
}

/** The CUDA of this build and machine, as native/runtime/cuda/device-info.h describes it. */
export interface NativeCuda {
  /** Why it cannot be used; empty where it can. */
  readonly reason: string;
  /** Which GPUs kernels are compiled for, as nvcc names them: `80 86`. */
  readonly architectures: string;
  /** Of CUDA; empty where there is no driver. */
  readonly driverVersion: string;
  readonly runtimeVersion: string;
  /** Name of the library; empty where the system has none. */
  readonly cublasLt: string;
  /** Of the GPU, as all below: absent where none can be used. */
  readonly name?: string;
  readonly capability?: string;
  readonly multiprocessors?: number;
  readonly totalBytes?: number;
  readonly freeBytes?: number;
}

/** How an op would be computed on the GPU. */
export interface NativePlan {
  readonly op: string;
  readonly shape: string;
  readonly plan: string;
}

/** Recorded ops of a device. */
export interface NativeGraph {
  dispose: () => void;
}

/** What the addon exports: the runtime; the ops stand in native-ops.ts. */
interface Native extends NativeOps {
  fromArray: (data: NodeJS.TypedArray, shape: Shape, dtype: NativeDType, device: string) => NativeTensor;
  empty: (shape: Shape, dtype: NativeDType, device: string) => NativeTensor;
  adoptArray: (data: NodeJS.TypedArray, shape: Shape, dtype: NativeDType) => NativeTensor;
  copyTo: (tensor: NativeTensor, data: NodeJS.TypedArray) => Promise<void>;
  /** `copyTo` that waits: this thread does nothing else until the ops enqueued so far have run. */
  copyToNow: (tensor: NativeTensor, data: NodeJS.TypedArray) => void;
  copyInto: (to: NativeTensor, from: NativeTensor) => void;
  view: (tensor: NativeTensor, shape: Shape, offset: number) => NativeTensor;
  synchronize: (device: string) => Promise<void>;
  memory: (device: string) => NativeMemory;
  resetPeak: (device: string) => void;
  emptyCache: (device: string) => void;
  devices: () => readonly NativeDevice[];
  canCapture: (device: string) => boolean;
  beginCapture: (device: string, sharing?: NativeGraph) => void;
  endCapture: (device: string) => NativeGraph;
  replay: (graph: NativeGraph) => void;
  setThreads: (threads: number) => void;
  cpuInfo: () => {readonly instructionSet: string; readonly threads: number};
  cudaInfo: () => NativeCuda | undefined;
  plans: () => readonly NativePlan[];
  /** How the kernels of the CPU device may multiply and add elements of a dtype: names of instructions. For benches. */
  multiplyAdds: (dtype: NativeDType) => readonly string[];
  /**
   * Enqueues loops of one of them, in registers and on all threads of the CPU device; gives their floating-point operations. For benches:
   * nothing multiplies faster.
   */
  runPeakLoops: (multiplyAdd: string) => number;
  mapFile: (path: string) => Uint8Array<ArrayBuffer>;
  /** Events beyond `limit` that are not taken are dropped. */
  profileStart: (limit: number) => void;
  /** Gives the microseconds since the start. */
  profileStop: () => number;
  profileTake: () => NativeEvents;
  /** Events that wait to be taken. */
  profilePending: () => number;
  /** Opens a span of this thread; gives its number. */
  profileEnter: (name: string) => number;
  profileLeave: (span: number) => void;
  /** Whether ops of the CPU device are enqueued and not run from here on: for benches of what is left. */
  leaveOutKernels: (on: boolean) => void;
  /** Of the emulator: whether its kernels count what they do. Turning it on starts from nothing. */
  simtProfile: (on: boolean) => void;
  /** Of the emulator: the order of threads, blocks, streams and asynchronous copies from now on; 0 is none. */
  simtSeed: (seed: number) => void;
  /**
   * Of the emulator: only the first and the last `blocks` blocks of a launch are executed from now on, and memory that nobody wrote reads
   * as 0; 0 executes all.
   */
  simtBlocks: (blocks: number) => void;
  /**
   * Of the emulator: waits for its work; of the launches from then on those from number `begin` to `end`, left out, are not executed.
   * Gives how many there were since the last call.
   */
  simtLeaveOutLaunches: (begin: number, end: number) => number;
  /** Of the emulator: waits for its work, then gives the counters of each kernel that ran, by name. */
  simtCounters: () => readonly KernelCounters[];
  /** Of the emulator: waits for its work, then gives each kernel that ran with each of its shapes. */
  simtLaunchShapes: () => readonly KernelLaunch[];
}

/** An addon file, and why it was taken. */
interface AddonLocation {
  readonly path: string;
  readonly reason: string;
}

/** The addon that is loaded, and what was found on the way to it. */
interface Addon extends AddonLocation {
  /** Why an addon with CUDA was not taken; absent where one is. */
  readonly noCuda?: string;
}

interface Loaded {
  readonly functions: Partial<Native>;
  readonly addon: Addon;
}

let loaded: Loaded | undefined;

/**
 * The native functions. The addon is loaded by the first use of one, so modules that need none work without it.
 *
 * Each throws a CrossmapError with the code that native code gave; promises reject with one.
 */
export const native: Native = lazy();

/** The addon, which this loads. @throws ERR_ADDON */
export function addonInUse(): Addon {
  return load().addon;
}

/**
 * Which device the addon must have. By default it is one with CUDA where there is a GPU for it, else one for the CPU alone; the
 * emulated GPU is only there where it is asked for. The environment variable CROSSMAP_DEVICE does the same.
 *
 * @throws ERR_ADDON where another addon is in use already
 */
export function requireDevice(device: NativeDevice): void {
  if (loaded && !loaded.functions.devices?.().includes(device))
    throw new CrossmapError(
      'ERR_ADDON',
      `the device ${device} was asked for after ${loaded.addon.path}, which is without it, had been loaded`,
    );
  required = device;
}

let required: NativeDevice | undefined;

/** Functions that are looked up and guarded when first used. */
function lazy(): Native {
  const known: Record<string, unknown> = {};
  const find = (_: unknown, name: string | symbol): unknown =>
    typeof name === 'string' ? (known[name] ??= guard(load().functions[name as keyof Native])) : undefined;
  return new Proxy(known, {get: find}) as unknown as Native;
}

function load(): Loaded {
  return (loaded ??= findAddon());
}

const builds = {
  cuda: [{file: 'build-cuda/Release/crossmap-cuda.node', reason: 'built by cmake-js, with CUDA'}],
  cpu: [
    {file: 'build-cmake/Release/crossmap-cpu.node', reason: 'built by cmake-js'},
    {file: 'build/Release/crossmap-cpu.node', reason: 'built by node-gyp'},
  ],
  simt: [{file: 'build-cmake/Release/crossmap-simt.node', reason: 'the device simt was asked for'}],
} as const;

const commands = {cpu: 'npm run build', cuda: 'npm run build:cuda', simt: 'npm run build:simt'} as const;

function findAddon(): Loaded {
  const chosen = process.env['CROSSMAP_ADDON'];
  if (chosen) return loadFrom({path: chosen, reason: 'CROSSMAP_ADDON names it'});
  const device = required ?? deviceOfEnvironment();
  if (device === 'simt') return loadFrom(firstOf('simt'));
  const cuda = device === 'cpu' ? undefined : loadCuda();
  // An addon with CUDA that cannot use it has the CPU, and says best why CUDA is not there.
  const isTaken = cuda?.noCuda === undefined || device === 'cuda' || !isBuilt('cpu');
  if (cuda?.loaded && isTaken) return cuda.loaded;
  const {functions, addon} = loadFrom(firstOf('cpu'));
  return {functions, addon: {...addon, ...(cuda?.noCuda !== undefined && {noCuda: cuda.noCuda})}};
}

/** The addon with CUDA, and why it cannot use a GPU, if it cannot. */
function loadCuda(): {readonly loaded?: Loaded; readonly noCuda?: string} {
  if (!isBuilt('cuda')) return {noCuda: `the addon with CUDA is not built: ${commands.cuda} builds it`};
  try {
    const loaded = loadFrom(firstOf('cuda'));
    const reason = loaded.functions.cudaInfo?.()?.reason;
    if (reason === '') return {loaded};
    const noCuda = reason ?? `${loaded.addon.path} is without CUDA`;
    return {loaded: {...loaded, addon: {...loaded.addon, noCuda}}, noCuda};
  } catch (error) {
    return {noCuda: error instanceof Error ? error.message : String(error)};
  }
}

function isBuilt(flavour: keyof typeof builds): boolean {
  return placesOf(flavour).some(({path}) => existsSync(path));
}

function deviceOfEnvironment(): NativeDevice | undefined {
  const name = process.env['CROSSMAP_DEVICE'];
  if (!name) return undefined;
  if (name === 'cpu' || name === 'cuda' || name === 'simt') return name;
  throw new CrossmapError(
    'ERR_ARGUMENT',
    `the environment variable CROSSMAP_DEVICE must be cpu, cuda or simt; got ${name}`,
  );
}

function placesOf(flavour: keyof typeof builds): AddonLocation[] {
  const root = new URL('../../', import.meta.url); // from dist/lib
  return builds[flavour].map(({file, reason}) => ({path: fileURLToPath(new URL(file, root)), reason}));
}

function firstOf(flavour: keyof typeof builds): AddonLocation {
  const places = placesOf(flavour);
  const found = places.find(({path}) => existsSync(path));
  if (found) return found;
  const [first, ...others] = places.map(({path}) => path);
  const missing =
    others.length === 0 ? `${first} does not exist` : `neither ${[first, ...others].join(' nor ')} exists`;
  throw new CrossmapError(
    'ERR_ADDON',
    `the native addon is not built: ${missing}; run ${commands[flavour]}, or set CROSSMAP_ADDON to the addon`,
  );
}

function loadFrom(addon: AddonLocation): Loaded {
  try {
    const functions: unknown = createRequire(import.meta.url)(addon.path);
    return {functions: functions as Partial<Native>, addon};
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new CrossmapError('ERR_ADDON', `the native addon ${addon.path} cannot be loaded: ${reason}`, {
      cause,
    });
  }
}

function guard(exported: unknown): unknown {
  if (typeof exported !== 'function') return undefined;
  return (...args: unknown[]): unknown => {
    try {
      const result: unknown = exported(...args);
      return result instanceof Promise ? result.catch(rethrow) : result;
    } catch (error) {
      return rethrow(error);
    }
  };
}

function rethrow(error: unknown): never {
  if (error instanceof Error && 'code' in error && isErrorCode(error.code))
    throw new CrossmapError(error.code, error.message);
  throw error;
}
