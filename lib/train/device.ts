/** Where a model computes. */
import type {Config} from '../config/index.js';
import {CrossmapError} from '../errors.js';
import {devices, setThreads, whyNoCuda, type Device} from '../tensor/index.js';

/**
 * The device that the options name, its threads set.
 *
 * @throws ERR_DEVICE where it does not exist here; ERR_ADDON
 */
export function useDevice({device, threads}: Pick<Config, 'device' | 'threads'>): Device {
  const present = devices();
  const found = device === 'auto' ? present[0] : present.find((each) => each === device);
  if (found === undefined)
    throw new CrossmapError(
      'ERR_DEVICE',
      `device ${device} does not exist here${reasonFor(device)}; there is ${present.join(', ')}`,
    );
  if (threads !== 'auto') setThreads(threads);
  return found;
}

function reasonFor(device: Config['device']): string {
  const reason =
    device === 'cuda'
      ? whyNoCuda()
      : 'the emulated GPU is for tests: CROSSMAP_DEVICE=simt, or --device simt, takes the addon that has it';
  return reason === undefined ? '' : `: ${reason}`;
}
