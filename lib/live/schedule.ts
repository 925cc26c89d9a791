/** When a new state of the page is made: seldom enough that a run does not feel it. */

/** Time between two states of the page. */
const paceMs = 1000;

/** Making the page may take this share of the time of the event loop. */
const renderShare = 0.04;

/** Decides when a new state of the page is made. */
interface Schedule {
  /** There is news. */
  note(audience: {readonly isSeen: boolean}): void;
  /** Makes the state at once, if there was news since the last one. */
  catchUp(): void;
  stop(): void;
}

export function createSchedule(render: () => void, onTrouble: (error: unknown) => void): Schedule {
  let isDirty = true;
  let waitMs = paceMs;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const catchUp = (): void => {
    stop();
    if (!isDirty) return;
    isDirty = false;
    const start = performance.now();
    try {
      render();
    } catch (error) {
      onTrouble(error);
    }
    waitMs = Math.max(paceMs, (performance.now() - start) / renderShare);
  };
  return {
    note({isSeen}) {
      isDirty = true;
      if (isSeen) timer ??= setTimeout(catchUp, waitMs).unref();
    },
    catchUp,
    stop,
  };
}
