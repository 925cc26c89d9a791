/** `crossmap info`: what this installation is and computes with. */
import {availableParallelism, freemem, totalmem} from 'node:os';
import type {Command} from 'commander';
import {addonInUse, native, type NativeCuda, type NativePlan} from '../../native.js';
import {devices, memory, whyNoCuda, type MemoryUse} from '../../tensor/index.js';
import {version} from '../../version.js';
import {addDeviceOption, useDeviceOption, type DeviceOptions} from '../device-option.js';
import {bytes} from '../format.js';
import {printJson, printLines} from '../print.js';

/** What `--json` prints. */
interface Info {
  readonly crossmap: string;
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  readonly systemMemory: {readonly totalBytes: number; readonly freeBytes: number};
  readonly addon: Addon | {readonly error: string};
}

interface Addon {
  readonly path: string;
  readonly reason: string;
  readonly instructionSet: string;
  readonly threads: number;
  /** The preferred one first. */
  readonly devices: readonly {readonly name: string; readonly memory: MemoryUse}[];
  /** Why CUDA is not used; absent where it is. */
  readonly noCuda?: string;
  /** Absent where the addon is built without it. */
  readonly cuda?: NativeCuda;
  /** The kernels that ops would be computed with on the GPU. */
  readonly plans: readonly NativePlan[];
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command.option('--json', 'print JSON');
  addDeviceOption(command).action((options: DeviceOptions & {readonly json?: true}) => {
    useDeviceOption(options);
    const info = collectInfo();
    if (options.json) printJson(info);
    else printLines(describe(info));
  });
}

function collectInfo(): Info {
  return {
    crossmap: version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    systemMemory: {totalBytes: totalmem(), freeBytes: freemem()},
    addon: addonInfo(),
  };
}

/** An addon that does not load is a fact to tell, not a failure of the command that is run to find out. */
function addonInfo(): Info['addon'] {
  try {
    const {path, reason} = addonInUse();
    const {instructionSet, threads} = native.cpuInfo();
    const noCuda = whyNoCuda();
    const cuda = native.cudaInfo();
    return {
      path,
      reason,
      instructionSet,
      threads,
      devices: devices().map((name) => ({name, memory: memory(name)})),
      ...(noCuda !== undefined && {noCuda}),
      ...(cuda && {cuda}),
      plans: native.plans(),
    };
  } catch (error) {
    return {error: error instanceof Error ? error.message : String(error)};
  }
}

function describe({crossmap, node, platform, cores, systemMemory, addon}: Info): string[] {
  const {totalBytes, freeBytes} = systemMemory;
  return table([
    ['crossmap', crossmap],
    ['node', `${node}, ${platform}`],
    ['system', `${cores} cores, ${bytes(totalBytes)} memory, ${bytes(freeBytes)} free`],
    ...('error' in addon ? [['addon', addon.error] as const] : describeAddon(addon)),
  ]);
}

type Row = readonly [name: string, value: string];

function describeAddon({path, reason, instructionSet, threads, ...addon}: Addon): Row[] {
  const {devices, noCuda, cuda, plans} = addon;
  return [
    ['addon', `${path} (${reason})`],
    ['instruction set', instructionSet],
    ['threads', String(threads)],
    ...devices.map(({name, memory: {allocatedBytes, cachedBytes}}): Row => [
      `device ${name}`,
      `${name === 'cpu' || cuda === undefined ? '' : describeGpu(cuda)}${bytes(allocatedBytes)} allocated, ${bytes(cachedBytes)} cached`,
    ]),
    ...(noCuda === undefined ? [] : [['cuda', `not used: ${noCuda}`] as const]),
    ...(cuda ? describeCuda(cuda) : []),
    ...plans.map(({op, shape, plan}): Row => [`plan ${op}`, `${shape}: ${plan}`]),
  ];
}

function describeGpu({name, capability, multiprocessors, totalBytes, freeBytes}: NativeCuda): string {
  const room = totalBytes === undefined ? '' : `${bytes(totalBytes)} memory, ${bytes(freeBytes ?? 0)} free, `;
  return `${name}, compute capability ${capability}, ${multiprocessors} multiprocessors, ${room}`;
}

/** The emulator has no versions and no libraries. */
function describeCuda({architectures, driverVersion, runtimeVersion, cublasLt}: NativeCuda): Row[] {
  if (runtimeVersion === '') return [];
  return [
    ['cuda driver', driverVersion === '' ? 'none' : `runs CUDA ${driverVersion}`],
    ['cuda runtime', runtimeVersion],
    ['kernels for', architectures],
    ['cuBLASLt', cublasLt === '' ? 'not found: matrix products use our own kernels' : cublasLt],
  ];
}

function table(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
