/** A progress bar on a line of its own, which goes when it stops. */
import {SingleBar} from 'cli-progress';

/** Where progress is shown. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** @param barsize characters of the bar */
export function createBar(stream: ProgressStream, format: string, barsize = 24): SingleBar {
  return new SingleBar({
    stream,
    format,
    barsize,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    hideCursor: true,
    linewrap: false,
    gracefulExit: false, // interrupts are for the work, which stops by itself, its state saved first
  });
}
