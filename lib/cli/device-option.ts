/** `--device`: where a command computes. */
import {Option, type Command} from 'commander';
import {requireDevice, type Device} from '../tensor/index.js';
import type {LoadModelOptions} from '../train/index.js';
import type {ThreadsOptions} from './threads-option.js';

/** The option as the command line gives it. */
export interface DeviceOptions {
  readonly device?: Device;
}

const choices: readonly Device[] = ['cpu', 'cuda', 'simt'];

/** Adds `--device`. */
export function addDeviceOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--device <name>',
      'where to compute: cuda where there is a GPU, else cpu; simt is an emulated GPU, for tests',
    ).choices(choices),
  );
}

/** Takes the addon that has the device; to be called before anything native. @throws ERR_ADDON */
export function useDeviceOption({device}: DeviceOptions): void {
  if (device !== undefined) requireDevice(device);
}

/** The same for the device that a configuration names. */
export function useDeviceOf({device}: {readonly device: Device | 'auto'}): void {
  if (device !== 'auto') requireDevice(device);
}

/** What a model is loaded with, of all options of a command. */
export function loadOptionsOf({device, threads}: DeviceOptions & ThreadsOptions): LoadModelOptions {
  return {...(device && {device}), ...(threads !== undefined && {threads})};
}

/** The option as an override of a configuration; it stands before those of `--set`. */
export function deviceOverride({device}: DeviceOptions): string[] {
  return device === undefined ? [] : [`device=${device}`];
}
