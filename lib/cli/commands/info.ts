/** `crossmap info`: what this installation is and computes with. */
import {availableParallelism, freemem, totalmem} from 'node:os';
import {Command} from 'commander';
import {addonLocation, native} from '../../native.js';
import {devices, memory, type MemoryUse} from '../../tensor/index.js';
import {version} from '../../version.js';
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
  /** Why there is no CUDA device. */
  readonly cuda: string;
}

interface Addon {
  readonly path: string;
  readonly reason: string;
  readonly instructionSet: string;
  readonly threads: number;
  readonly devices: readonly {readonly name: string; readonly memory: MemoryUse}[];
}

export function infoCommand(): Command {
  return new Command('info')
    .description('Print versions, the native addon, devices and memory.')
    .option('--json', 'print JSON')
    .action(({json}: {readonly json?: true}) => {
      const info = collectInfo();
      if (json) printJson(info);
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
    cuda: 'not used: the addon of this version has the CPU device alone',
  };
}

/** An addon that does not load is a fact to tell, not a failure of the command that is run to find out. */
function addonInfo(): Info['addon'] {
  try {
    const {path, reason} = addonLocation();
    const {instructionSet, threads} = native.cpuInfo();
    const present = devices().map((name) => ({name, memory: memory(name)}));
    return {path, reason, instructionSet, threads, devices: present};
  } catch (error) {
    return {error: error instanceof Error ? error.message : String(error)};
  }
}

function describe({crossmap, node, platform, cores, systemMemory, addon, cuda}: Info): string[] {
  const {totalBytes, freeBytes} = systemMemory;
  return table([
    ['crossmap', crossmap],
    ['node', `${node}, ${platform}`],
    ['system', `${cores} cores, ${bytes(totalBytes)} memory, ${bytes(freeBytes)} free`],
    ...('error' in addon ? [['addon', addon.error] as const] : describeAddon(addon)),
    ['cuda', cuda],
  ]);
}

function describeAddon({path, reason, instructionSet, threads, devices}: Addon): [string, string][] {
  return [
    ['addon', `${path} (${reason})`],
    ['instruction set', instructionSet],
    ['threads', String(threads)],
    ...devices.map(({name, memory: {allocatedBytes, cachedBytes}}): [string, string] => [
      `device ${name}`,
      `${bytes(allocatedBytes)} allocated, ${bytes(cachedBytes)} cached`,
    ]),
  ];
}

function table(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
