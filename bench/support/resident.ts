/** Memory of a process as the system counts it: the one measure that two programs with different allocators have in common. */
import {readFileSync, writeFileSync} from 'node:fs';

/**
 * Starts the measurement of the peak anew.
 *
 * @returns resident bytes now; undefined where the system does not tell
 */
export function resetResidentPeak(): number | undefined {
  try {
    writeFileSync('/proc/self/clear_refs', '5'); // proc(5): VmHWM becomes the present VmRSS
  } catch {
    return undefined;
  }
  return statusBytes('VmRSS', ownStatus());
}

/** The most resident bytes since `resetResidentPeak`. */
export function residentPeak(): number | undefined {
  return statusBytes('VmHWM', ownStatus());
}

function ownStatus(): string {
  return readFileSync('/proc/self/status', 'utf8');
}

/** A line of /proc/self/status, such as `VmHWM:	  123456 kB`. */
export function statusBytes(name: string, status: string): number | undefined {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
