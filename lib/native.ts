/** The native addon, as TypeScript sees it. Nothing else in lib knows that its errors are not yet ours. */
import {findAddon, type Addon} from './addon/find.js';
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
  if (loaded) return loaded;
  const {functions, addon} = findAddon(required ?? deviceOfEnvironment());
  return (loaded = {functions: functions as Partial<Native>, addon});
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
