/** Ctrl-C: the first asks the work to save its state and stop, the second quits at once. */
import type {EventEmitter} from 'node:events';
import {constants} from 'node:os';
import {CrossmapError} from '../errors.js';

/** The interrupts of one piece of work. */
interface Interrupts {
  readonly signal: AbortSignal;
  /** 130 after Ctrl-C, 143 after SIGTERM, undefined where nothing interrupted. */
  readonly exitCode: () => number | undefined;
  /** Stops listening. */
  readonly dispose: () => void;
}

/** What to do when interrupted. */
interface InterruptActions {
  /** Called at the first interrupt. */
  readonly onStop: (signal: NodeJS.Signals) => void;
  /** Called at the second; must end the process. */
  readonly onQuit: (exitCode: number) => void;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/** @param source who tells of signals: the process */
export function catchInterrupts(source: EventEmitter, {onStop, onQuit}: InterruptActions): Interrupts {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const interrupt = (signal: (typeof signals)[number]): void => {
    if (exitCode !== undefined) {
      onQuit(exitCode);
      return;
    }
    exitCode = 128 + constants.signals[signal];
    onStop(signal);
    controller.abort(new CrossmapError('ERR_ABORTED', `stopped by ${signal}`));
  };
  for (const signal of signals) source.on(signal, interrupt);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    dispose: () => {
      for (const signal of signals) source.off(signal, interrupt);
    },
  };
}

/**
 * Runs work that has no state to save: an interrupt stops it, and sets the exit code.
 *
 * @param options.onQuit called before a second interrupt ends the process: gives the terminal back
 */
export async function untilInterrupted<T>(
  work: (signal: AbortSignal) => Promise<T>,
  {onQuit}: {readonly onQuit?: () => void} = {},
): Promise<T> {
  const interrupts = catchInterrupts(process, {
    onStop: () => undefined,
    onQuit: (exitCode) => {
      onQuit?.();
      process.exit(exitCode);
    },
  });
  try {
    return await work(interrupts.signal);
  } finally {
    interrupts.dispose();
    const exitCode = interrupts.exitCode();
    if (exitCode !== undefined) process.exitCode = exitCode;
  }
}
